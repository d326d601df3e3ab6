// The constraints and indexes of the graph in Memgraph 3.6 and later. Memgraph has no
// IF NOT EXISTS for them: the program runs only those that SHOW CONSTRAINT INFO and
// SHOW INDEX INFO lack. A unique constraint brings no index there, and a label has none
// of its own: without one, MATCH (s:Session) reads every node of the database.
CREATE CONSTRAINT ON (n:Session) ASSERT n.session_id IS UNIQUE;
CREATE CONSTRAINT ON (n:Action) ASSERT n.action_id IS UNIQUE;
CREATE CONSTRAINT ON (n:Agent) ASSERT n.agent_key IS UNIQUE;
CREATE CONSTRAINT ON (n:Tool) ASSERT n.name IS UNIQUE;
CREATE CONSTRAINT ON (n:Tag) ASSERT n.name IS UNIQUE;
CREATE CONSTRAINT ON (n:File) ASSERT n.file_key IS UNIQUE;
CREATE CONSTRAINT ON (n:JournalPosition) ASSERT n.position_id IS UNIQUE;
CREATE INDEX ON :Session(session_id);
CREATE INDEX ON :Action(action_id);
CREATE INDEX ON :Agent(agent_key);
CREATE INDEX ON :Tool(name);
CREATE INDEX ON :Tag(name);
CREATE INDEX ON :File(file_key);
CREATE INDEX ON :JournalPosition(position_id);
CREATE INDEX ON :Session;
CREATE INDEX ON :Agent;
CREATE INDEX ON :Tool;
CREATE INDEX ON :Tag;
CREATE INDEX ON :File;
CREATE INDEX ON :ToolCall;
CREATE INDEX ON :LLMCall;
CREATE INDEX ON :Session(started_at);
CREATE INDEX ON :Action(session_id);
CREATE INDEX ON :Action(timestamp);
CREATE INDEX ON :Action(tool_name);
CREATE INDEX ON :Action(status);
CREATE INDEX ON :Agent(session_id);
CREATE INDEX ON :File(path);
CREATE INDEX ON :JournalPosition(journal);
CREATE TEXT INDEX action_search ON :Action(search);

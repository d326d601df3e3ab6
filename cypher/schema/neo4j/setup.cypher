// The constraints and indexes of the graph in Neo4j 5 and later. Every statement may
// be run again. A unique constraint brings its index.
CREATE CONSTRAINT session_id IF NOT EXISTS FOR (n:Session) REQUIRE n.session_id IS UNIQUE;
CREATE CONSTRAINT action_id IF NOT EXISTS FOR (n:Action) REQUIRE n.action_id IS UNIQUE;
CREATE CONSTRAINT agent_key IF NOT EXISTS FOR (n:Agent) REQUIRE n.agent_key IS UNIQUE;
CREATE CONSTRAINT tool_name IF NOT EXISTS FOR (n:Tool) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT tag_name IF NOT EXISTS FOR (n:Tag) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT file_key IF NOT EXISTS FOR (n:File) REQUIRE n.file_key IS UNIQUE;
CREATE CONSTRAINT journal_position_id IF NOT EXISTS FOR (n:JournalPosition) REQUIRE n.position_id IS UNIQUE;
CREATE INDEX session_started_at IF NOT EXISTS FOR (n:Session) ON (n.started_at);
CREATE INDEX action_session_id IF NOT EXISTS FOR (n:Action) ON (n.session_id);
CREATE INDEX action_timestamp IF NOT EXISTS FOR (n:Action) ON (n.timestamp);
CREATE INDEX action_tool_name IF NOT EXISTS FOR (n:Action) ON (n.tool_name);
CREATE INDEX action_status IF NOT EXISTS FOR (n:Action) ON (n.status);
CREATE INDEX agent_session_id IF NOT EXISTS FOR (n:Agent) ON (n.session_id);
CREATE INDEX file_path IF NOT EXISTS FOR (n:File) ON (n.path);
CREATE INDEX journal_position_journal IF NOT EXISTS FOR (n:JournalPosition) ON (n.journal);
CREATE FULLTEXT INDEX action_search IF NOT EXISTS FOR (n:Action) ON EACH [n.search]
OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}};

-- The layout of graph.db, version 8. Measured choices, see the package comment.
-- A column that is named like a property holds that property; `more` holds the
-- others as JSON ({"t":ns} is a time). `put` is NULL on a row that exists only
-- because an edge ends there. Keys of actions, agents and files are 16-byte BLOBs
-- (32 hexadecimal digits). Times are nanoseconds since 1970, UTC.

CREATE TABLE position (
  journal TEXT NOT NULL, session TEXT NOT NULL,
  offset INTEGER NOT NULL, sum INTEGER NOT NULL, first INTEGER NOT NULL, fold INTEGER NOT NULL,
  PRIMARY KEY (journal, session)
) WITHOUT ROWID;

-- The end of each journal's log of seals; see package seal.
CREATE TABLE seal (journal TEXT PRIMARY KEY, number INTEGER NOT NULL, line TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE action_type (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE edge_type (id INTEGER PRIMARY KEY, name TEXT NOT NULL);

CREATE TABLE session (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, put INTEGER, keyed,
  name TEXT, status TEXT, started_at INTEGER, ended_at INTEGER, last_event_at INTEGER,
  end_reason TEXT, model TEXT, title TEXT, first_prompt TEXT, working_directory TEXT,
  git_branch TEXT, git_commit TEXT, repo_root TEXT, host TEXT, user TEXT,
  source_sdk TEXT, journal TEXT, action_count INTEGER, tool_call_count INTEGER,
  message_count INTEGER, agent_count INTEGER, error_count INTEGER,
  total_cost_usd REAL, total_input_tokens INTEGER, total_output_tokens INTEGER,
  total_cache_read_input_tokens INTEGER, total_cache_creation_input_tokens INTEGER,
  metadata TEXT, more TEXT
);
CREATE INDEX session_started ON session (started_at);

-- The narrow row of an action: what filters, statistics and status changes touch.
-- HAS_ACTION (in_session, lane), FOLLOWED_BY (prev), PARENT_OF (parent) and
-- USED_TOOL (tool) are its columns.
CREATE TABLE action (
  id INTEGER PRIMARY KEY, sid INTEGER NOT NULL, key NOT NULL, type,
  in_session INTEGER, lane INTEGER, prev INTEGER, parent INTEGER, tool INTEGER,
  timestamp INTEGER, started_at INTEGER, ended_at INTEGER, duration_ms REAL,
  status TEXT, agent_id TEXT, parent_action_id, parent_unknown INTEGER,
  turn INTEGER, seq INTEGER, tool_name TEXT, is_error INTEGER, never_ran INTEGER
);
CREATE UNIQUE INDEX action_key ON action (sid, key);
CREATE INDEX action_time ON action (sid, timestamp);
-- For DelNode, which takes the edges with it, and for who asks from the other end.
CREATE INDEX action_prev ON action (prev) WHERE prev IS NOT NULL;
CREATE INDEX action_parent ON action (parent) WHERE parent IS NOT NULL;
-- What a recall without words and a tool's profile walk: tool calls (type 0) alone.
CREATE INDEX action_tool ON action (tool_name, timestamp) WHERE type = 0;
CREATE INDEX action_failed ON action (timestamp) WHERE type = 0 AND (status = 'failed' OR is_error = 1);

CREATE TABLE body (
  id INTEGER PRIMARY KEY, keyed, in_sid, typed,
  name TEXT, model TEXT, prompt_id TEXT, tool_use_id TEXT, is_mcp INTEGER,
  mcp_server TEXT, thinking INTEGER, role TEXT, more TEXT, command TEXT, error_message TEXT,
  metadata TEXT, properties TEXT, text TEXT
);

-- What reports of tokens add up: the sums of a session's model calls of four hours each,
-- kept by the writer and encoded as usage.go says.
CREATE TABLE usage (
  sid INTEGER NOT NULL, part INTEGER NOT NULL, sums BLOB NOT NULL, PRIMARY KEY (sid, part)
) WITHOUT ROWID;

CREATE TABLE agent (
  id INTEGER PRIMARY KEY, sid INTEGER NOT NULL, key NOT NULL, put INTEGER, keyed, in_sid,
  agent_id TEXT, name TEXT, agent_type TEXT, description TEXT, status TEXT,
  started_at INTEGER, ended_at INTEGER, parent_unknown INTEGER,
  more TEXT, prompt TEXT, last_assistant_message TEXT,
  UNIQUE (sid, key)
);
-- Whose tokens may be short of the truth: reports look among these for missing files.
CREATE INDEX agent_low ON agent (sid) WHERE instr(more, '"total_lower_bound":true') > 0;

CREATE TABLE tool (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, put INTEGER, keyed,
  is_mcp INTEGER, mcp_server TEXT, more TEXT
);
CREATE TABLE tag (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, put INTEGER, keyed, more TEXT);
CREATE TABLE file (
  id INTEGER PRIMARY KEY, key NOT NULL UNIQUE, put INTEGER, keyed,
  host TEXT, path TEXT, repo_path TEXT, name TEXT, more TEXT
);

-- All other edges, and the properties of those that are columns. src and dst are
-- row id * 8 + label (0 session, 1 action, 2 agent, 3 tool, 4 tag, 5 file); owner is
-- the session whose fold wrote the edge.
CREATE TABLE edge (
  src INTEGER NOT NULL, type INTEGER NOT NULL, dst INTEGER NOT NULL,
  owner INTEGER NOT NULL, props TEXT,
  PRIMARY KEY (src, type, dst)
) WITHOUT ROWID;
CREATE INDEX edge_dst ON edge (dst);
CREATE INDEX edge_owner ON edge (owner);

-- The key of any node: code is the label's number.
CREATE VIEW keys AS
  SELECT 0 AS code, 'Session' AS label, id, key FROM session
  UNION ALL SELECT 1, 'Action', id, key FROM action
  UNION ALL SELECT 2, 'Agent', id, key FROM agent
  UNION ALL SELECT 3, 'Tool', id, key FROM tool
  UNION ALL SELECT 4, 'Tag', id, key FROM tag
  UNION ALL SELECT 5, 'File', id, key FROM file;

-- How many documents of a recall there are: those with a term in tool_name or content. How
-- many terms they have is in FTS5's own totals.
CREATE TABLE recalled (docs INTEGER NOT NULL);
INSERT INTO recalled VALUES (0);

-- Its text is in body; automerge is off because merging while writing costs more
-- than the search gains: Maintain merges.
CREATE VIRTUAL TABLE fts USING fts5 (
  tool_name, content, input, text, called,
  content='', contentless_delete=1, detail=full, tokenize='unicode61'
);
INSERT INTO fts (fts, rank) VALUES ('automerge', 0);
INSERT INTO fts (fts, rank) VALUES ('crisismerge', 128);
INSERT INTO fts (fts, rank) VALUES ('hashsize', 33554432);

-- For people with a SQL prompt: every edge, whether it is a column or a row.
CREATE VIEW edges AS
  SELECT 'HAS_ACTION' AS type, 'Session' AS from_label, s.key AS from_key, 'Action' AS to_label,
    iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key) AS to_key, NULL AS props
    FROM action a JOIN session s ON s.id = a.sid WHERE a.in_session
  UNION ALL SELECT 'HAS_ACTION', 'Agent', iif(typeof(g.key) = 'blob', lower(hex(g.key)), g.key),
    'Action', iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key), NULL
    FROM action a JOIN agent g ON g.id = a.lane
  UNION ALL SELECT 'FOLLOWED_BY', 'Action', iif(typeof(p.key) = 'blob', lower(hex(p.key)), p.key),
    'Action', iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key), NULL
    FROM action a JOIN action p ON p.id = a.prev
  UNION ALL SELECT 'PARENT_OF', 'Action', iif(typeof(p.key) = 'blob', lower(hex(p.key)), p.key),
    'Action', iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key), NULL
    FROM action a JOIN action p ON p.id = a.parent
  UNION ALL SELECT 'USED_TOOL', 'Action', iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key),
    'Tool', t.key, NULL
    FROM action a JOIN tool t ON t.id = a.tool
  UNION ALL SELECT t.name, src.label, iif(typeof(src.key) = 'blob', lower(hex(src.key)), src.key),
    dst.label, iif(typeof(dst.key) = 'blob', lower(hex(dst.key)), dst.key), e.props
    FROM (SELECT type, props, src & 7 AS sl, src >> 3 AS si, dst & 7 AS dl, dst >> 3 AS di FROM edge
      WHERE type NOT IN (0, 2, 3, 5)) e JOIN edge_type t ON t.id = e.type
    JOIN keys src ON src.code = e.sl AND src.id = e.si
    JOIN keys dst ON dst.code = e.dl AND dst.id = e.di;

CREATE VIEW actions AS
  SELECT iif(typeof(a.key) = 'blob', lower(hex(a.key)), a.key) AS action_id, s.key AS session_id,
    coalesce(t.name, a.type) AS action_type, a.timestamp, a.started_at, a.ended_at, a.duration_ms,
    a.status, a.agent_id, iif(typeof(a.parent_action_id) = 'blob', lower(hex(a.parent_action_id)),
    a.parent_action_id) AS parent_action_id, a.turn, a.tool_name, a.is_error, b.name, b.model,
    b.prompt_id, b.tool_use_id, b.command, b.error_message, b.text, b.properties, b.metadata, b.more
  FROM action a JOIN session s ON s.id = a.sid LEFT JOIN action_type t ON t.id = a.type
  LEFT JOIN body b ON b.id = a.id WHERE a.type IS NOT NULL;

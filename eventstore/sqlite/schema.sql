-- The tables of an event store in SQLite; docs/event-stores.md says what is in them.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  session_id TEXT PRIMARY KEY,
  events     INTEGER NOT NULL,
  first_at   TEXT NOT NULL,
  last_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- With row ids, which are small: an event is wide, and the tree that is searched by
-- (session_id, ordinal) is not.
CREATE TABLE events (
  session_id TEXT NOT NULL,
  ordinal    INTEGER NOT NULL,
  hash       BLOB NOT NULL,
  event_id   TEXT NOT NULL,
  event_type TEXT NOT NULL,
  timestamp  TEXT NOT NULL,
  line       TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_order ON events (session_id, ordinal);
CREATE UNIQUE INDEX events_hash ON events (session_id, hash);
CREATE INDEX events_id ON events (event_id);
CREATE INDEX events_type ON events (event_type, timestamp);

-- The tables of an event store in PostgreSQL; docs/event-stores.md says what is in them.
CREATE TABLE meta (
  key   text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE sessions (
  session_id text COLLATE "C" PRIMARY KEY,
  events     bigint NOT NULL,
  first_at   timestamptz NOT NULL,
  last_at    timestamptz NOT NULL
);

-- What jsonb refuses (\u0000, half of a surrogate pair, a number that numeric cannot hold) is
-- NULL. The server says what that is: it differs from version to version.
CREATE FUNCTION actiongraph_jsonb(line text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  RETURN line::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

CREATE TABLE events (
  session_id text COLLATE "C" NOT NULL,
  ordinal    bigint NOT NULL,
  hash       bytea NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  event_type text COLLATE "C" NOT NULL,
  timestamp  timestamptz NOT NULL,
  line       text NOT NULL,
  event      jsonb GENERATED ALWAYS AS (actiongraph_jsonb(line)) STORED,
  PRIMARY KEY (session_id, ordinal)
);

CREATE UNIQUE INDEX events_hash ON events (session_id, hash);
CREATE INDEX events_id ON events (event_id);
CREATE INDEX events_type ON events (event_type, timestamp);

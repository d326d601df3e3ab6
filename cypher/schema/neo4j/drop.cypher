// Takes back what setup.cypher made. The data stays.
DROP CONSTRAINT session_id IF EXISTS;
DROP CONSTRAINT action_id IF EXISTS;
DROP CONSTRAINT agent_key IF EXISTS;
DROP CONSTRAINT tool_name IF EXISTS;
DROP CONSTRAINT tag_name IF EXISTS;
DROP CONSTRAINT file_key IF EXISTS;
DROP CONSTRAINT journal_position_id IF EXISTS;
DROP INDEX session_started_at IF EXISTS;
DROP INDEX action_session_id IF EXISTS;
DROP INDEX action_timestamp IF EXISTS;
DROP INDEX action_tool_name IF EXISTS;
DROP INDEX action_status IF EXISTS;
DROP INDEX agent_session_id IF EXISTS;
DROP INDEX file_path IF EXISTS;
DROP INDEX journal_position_journal IF EXISTS;
DROP INDEX action_search IF EXISTS;

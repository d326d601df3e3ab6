// The properties that full text is made of, of Actions that are there already.
UNWIND $keys AS key
MATCH (a:Action {action_id: key})
WHERE a.stub IS NULL
RETURN key, a.tool_name AS tool_name, a.text AS text, a.error_message AS error_message, a.command AS command,
       a.file_path AS file_path, a.url AS url, a.pattern AS pattern, a.properties AS properties

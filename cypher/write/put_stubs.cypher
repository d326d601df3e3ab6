// Sessions that other sessions' folds write about. They have a caption until their own
// fold says more.
UNWIND $rows AS row
MERGE (n:Session {session_id: row.key})
ON CREATE SET n.stub = true
WITH n, row
WHERE n.stub
SET n += row.props

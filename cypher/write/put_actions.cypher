// Actions of one type. An Action that was of another type loses the labels of that.
UNWIND $rows AS row
MERGE (a:Action {action_id: row.key})
FOREACH (changed IN CASE WHEN a.action_type <> row.type THEN [1] ELSE [] END | REMOVE a:_OTHER_LABELS_)
SET a:_LABELS_
SET a += row.props

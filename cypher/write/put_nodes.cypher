// Nodes of one label. A null in row.props removes the property.
UNWIND $rows AS row
MERGE (n:_LABEL_ {_KEY_: row.key})
SET n += row.props

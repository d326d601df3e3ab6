// Edges of one kind. An end that is not there yet becomes a stub, which its own row
// fills: MATCH would leave the edge out without a word.
UNWIND $rows AS row
MERGE (a:_FROM_ {_FROM_KEY_: row.from})
ON CREATE SET _FROM_STUB_
MERGE (b:_TO_ {_TO_KEY_: row.to})
ON CREATE SET _TO_STUB_
MERGE (a)-[r:_TYPE_]->(b)
SET r += row.props

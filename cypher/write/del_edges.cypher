// Both ends are found before the edge: from a Tool, a hundred thousand edges would be
// looked at for the one.
UNWIND $rows AS row
MATCH (a:_FROM_ {_FROM_KEY_: row.from})
MATCH (b:_TO_ {_TO_KEY_: row.to})
WITH a, b
MATCH (a)-[r:_TYPE_]->(b)
DELETE r

UNWIND $rows AS row
MATCH (a:_FROM_ {_FROM_KEY_: row.from})-[r:_TYPE_]->(b:_TO_ {_TO_KEY_: row.to})
DELETE r

// Nodes with whatever edges are left on them.
UNWIND $keys AS key
MATCH (n:_LABEL_ {_KEY_: key})
DETACH DELETE n

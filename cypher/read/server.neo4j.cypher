// Neo4j says what it is by a procedure; SHOW VERSION is Memgraph's.
CALL dbms.components() YIELD name, versions, edition
RETURN name, versions, edition

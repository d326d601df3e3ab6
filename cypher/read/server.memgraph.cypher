// Memgraph has no dbms.components() unless a server maps it.
SHOW VERSION

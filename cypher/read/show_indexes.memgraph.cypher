// Memgraph has no IF NOT EXISTS.
SHOW INDEX INFO

// Only Memgraph needs asking: Neo4j has IF NOT EXISTS.
SHOW CONSTRAINT INFO

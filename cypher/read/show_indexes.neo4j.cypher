// Those that are filled. Making what is there already takes Neo4j longer than saying that
// it is.
SHOW INDEXES YIELD name, type, labelsOrTypes, properties, state WHERE state = 'ONLINE'

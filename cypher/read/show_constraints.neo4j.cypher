// Making what is there already takes Neo4j longer than saying that it is.
SHOW CONSTRAINTS YIELD type, labelsOrTypes, properties

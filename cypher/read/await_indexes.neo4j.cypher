// Waits until all indexes are filled, at most so many seconds. Memgraph fills an index
// before the statement that makes it ends.
CALL db.awaitIndexes(300)

// Whether there are transactions: the storage mode IN_MEMORY_ANALYTICAL has none.
SHOW STORAGE INFO

// The positions of journals whose record of a session another journal has taken in.
UNWIND $keys AS key
MATCH (p:JournalPosition {position_id: key})
DELETE p

// Some nodes of one label, and how many they were: 0 when none is left. The key tells
// them from other people's nodes that happen to have the label.
MATCH (n:_LABEL_)
WHERE n._KEY_ IS NOT NULL
WITH n LIMIT 5000
DETACH DELETE n
RETURN count(*) AS deleted

// The actions that have a tag.
MATCH (c:Action)-[:HAS_TAG]->(:Tag {name: $tag})
RETURN c.action_id AS call

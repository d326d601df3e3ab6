package graph

import (
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

const (
	// maxName bounds what stores have in indexes: the names of tools, tags, models,
	// agents, users and hosts, and the ids that runtimes give. Neo4j refuses a whole
	// transaction when a value is longer than about 8 kB
	// (https://neo4j.com/docs/cypher-manual/5/indexes/search-performance-indexes/managing-indexes/),
	// so that one hostile name would keep every session from the store.
	maxName = 1 << 10
	// maxPath bounds the path of a File node, PATH_MAX of Linux.
	maxPath = 4 << 10
)

// bounded returns e with its names cut, which says how long they were and what their
// hash is: two that differ stay two. It returns e itself in all honest cases.
func bounded(e *schema.Event) *schema.Event {
	long := false
	for _, s := range []string{
		e.ToolName, e.ToolUseID, e.AgentID, e.AgentType, e.AgentName, e.ParentAgentName, e.PromptID, e.MessageID, e.TaskID, e.ParentTaskID,
		e.ToAgent, e.Model, e.Status, e.SourceSDK, e.Host, e.UserID, e.ParentEventID,
	} {
		long = long || len(s) > maxName
	}
	long = long || slices.ContainsFunc(e.Tags, func(s string) bool { return len(s) > maxName })
	if !long {
		return e
	}
	c := *e
	for _, s := range []*string{
		&c.ToolName, &c.ToolUseID, &c.AgentID, &c.AgentType, &c.AgentName, &c.ParentAgentName, &c.PromptID, &c.MessageID, &c.TaskID, &c.ParentTaskID,
		&c.ToAgent, &c.Model, &c.Status, &c.SourceSDK, &c.Host, &c.UserID, &c.ParentEventID,
	} {
		*s, _ = schema.CutString(*s, maxName)
	}
	c.Tags = slices.Clone(e.Tags)
	for i := range c.Tags {
		c.Tags[i], _ = schema.CutString(c.Tags[i], maxName)
	}
	return &c
}

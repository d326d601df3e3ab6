package policy

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// What a call was given is said again elsewhere: by the list of what runs in the background,
// by the note that a task has ended, by the record of the agent that the call started and as
// that agent's first prompt, by what made the runtime load a file of instructions, and by the
// hooks that a task was made or is done (TaskCreated, TaskCompleted).

// spawners are the tools that start agents.
var spawners = [...]string{"Agent", "Task"}

// taskMakers are the tools whose input a task's subject and description are.
var taskMakers = [...]string{"TaskCreate", "TaskUpdate", "TodoWrite"}

// retells reports whether the event's text is that of a call that is left out, or may be. A
// note of a task's end names its call, but a hook, which lives for one event, knows of none:
// were the line of the session's file looked up it would say more, and be another message.
func (k *Keeper) retells(e *schema.Event) bool {
	switch e.EventType {
	case schema.AgentStart:
		return k.spawnOut(e)
	case schema.Task:
		return slices.ContainsFunc(taskMakers[:], k.policy.Tool)
	}
	return e.Role != schema.RoleAssistant && strings.HasPrefix(strings.TrimSpace(e.Content), notice)
}

// spawnOut reports whether the call that started the event's agent is left out, or may be.
func (k *Keeper) spawnOut(e *schema.Event) bool {
	id := schema.FieldString(schema.Field(e.Metadata, schema.MetaAgent), "toolUseId")
	if out, known := k.call(e, id); known {
		return out
	}
	return slices.ContainsFunc(spawners[:], k.policy.Tool)
}

// untell takes out of an event that is kept what it says of calls that may be left out: a
// background task and a file of instructions do not name theirs.
func (k *Keeper) untell(e *schema.Event) {
	e.Extra = change(e.Extra, "background_tasks", k.tasks)
	e.Extra = change(e.Extra, "trigger_file_path", func(v []byte) []byte {
		return k.shell(v, func(string) kind { return nothing })
	})
	if schema.Field(e.Metadata, schema.MetaAgent) != nil && k.spawnOut(e) {
		e.Metadata = change(e.Metadata, schema.MetaAgent, func(v []byte) []byte { return k.shell(v, agentMember) })
	}
}

func (k *Keeper) tasks(v []byte) []byte {
	if v[0] != '[' {
		return k.shell(v, taskMember)
	}
	out := []byte{'['}
	for task := range schema.Elements(v) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, k.shell(task, taskMember)...)
	}
	return append(out, ']')
}

// change returns obj with what to makes of every member of that name.
func change(obj json.RawMessage, name string, to func([]byte) []byte) json.RawMessage {
	if schema.Field(obj, name) == nil {
		return obj
	}
	out := []byte{'{'}
	for key, v := range schema.Fields(obj) {
		if key == name {
			v = to(v)
		}
		out = appendMember(out, key, v)
	}
	return append(out, '}')
}

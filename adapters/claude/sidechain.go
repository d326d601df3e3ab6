package claude

import (
	"encoding/json"

	"github.com/actiongraph/actiongraph/schema"
)

// sidechains tells the lanes of subagents apart that versions before 2.0.28 wrote into
// the main file: their lines have no agentId, only parents. A lane is named by the
// uuid of its first line, whose text is the prompt of the Task call that began it.
type sidechains struct {
	lanes map[uint64]string            // by the hash of a line's uuid
	tasks map[uint64][]json.RawMessage // by the hash of a prompt: the calls that wait for their agent
}

// lane returns the lane of a sidechain's line.
func (s *sidechains) lane(l *line) string {
	lane := "sidechain"
	switch {
	case l.root:
		lane = l.uuid
	case s.lanes[hashOf(l.parent)] != "":
		lane = s.lanes[hashOf(l.parent)]
	}
	if s.lanes == nil {
		s.lanes = map[uint64]string{}
	}
	s.lanes[hashOf(l.uuid)] = lane
	return lane
}

// note remembers a Task call.
func (s *sidechains) note(call *block) {
	if s.tasks == nil {
		s.tasks = map[uint64][]json.RawMessage{}
	}
	meta := appendMember([]byte{'{'}, "toolUseId", schema.AppendString(nil, call.id))
	meta = appendMember(meta, "requestShape", []byte(`"foreground"`)) // these versions knew no other
	var prompt string
	for key, v := range schema.Fields(call.input) {
		switch key {
		case "prompt":
			prompt = schema.Unquote(v)
		case "subagent_type":
			meta = appendMember(meta, "agentType", v)
		case "description":
			meta = appendMember(meta, "description", v)
		}
	}
	h := hashOf(prompt)
	s.tasks[h] = append(s.tasks[h], append(meta, '}'))
}

// spawned returns what the call says that began an agent with this prompt, in the
// form of agent-<id>.meta.json, nil if there is none.
func (s *sidechains) spawned(prompt string) json.RawMessage {
	calls := s.tasks[hashOf(prompt)]
	if len(calls) == 0 {
		return nil
	}
	s.tasks[hashOf(prompt)] = calls[1:]
	return calls[0]
}

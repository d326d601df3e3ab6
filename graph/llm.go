package graph

import (
	"github.com/actiongraph/actiongraph/schema"
)

// Classes of an LLMCall's properties, beside those of every action.
const (
	llmModel class = 1 << (16 + iota)
	llmEnd
	llmHash
	llmStop
	llmSpeed
	llmMessage
)

// llm folds a model call: llm_start and llm_end are one action. Its key is the model
// API's message id, else the event id of its start.
func (s *Session) llm(f *fact) {
	id := f.MessageID
	if id == "" {
		id = f.EventID
		if f.EventType == schema.LLMEnd && f.CausedBy != "" {
			id = f.CausedBy
		}
	}
	i, created := s.keyed(f, llmKey(s.id, id), LLMCall)
	regs := &s.actions.at(i).regs
	if f.Model != "" {
		if won, _ := s.regs.take(regs, f.stamp(0), llmModel); won != 0 {
			s.put(i, Prop{"model", f.Model}, Prop{"name", f.Model})
		}
	}
	if created {
		s.countCall(i)
		s.put(i, Prop{"status", schema.StatusInProgress})
		if f.Model == "" {
			s.put(i, Prop{"name", "model call"})
		}
	}
	if f.PromptHash != "" {
		if won, _ := s.regs.take(regs, f.stamp(0), llmHash); won != 0 {
			s.put(i, Prop{"prompt_hash", f.PromptHash})
		}
	}
	if f.EventType == schema.LLMEnd {
		if won, _ := s.regs.take(regs, f.stamp(0), llmEnd); won != 0 {
			s.put(i, llmEndProps(f.Event)...)
		}
	}
	text := func(c class, name, value string) {
		if value == "" {
			return
		}
		if won, _ := s.regs.take(regs, f.stamp(0), c); won != 0 {
			s.put(i, Prop{name, value})
		}
	}
	text(llmMessage, "message_id", f.MessageID)
	if f.EventType == schema.LLMEnd {
		text(llmStop, "stop_reason", f.Reason)
		text(llmSpeed, "speed", schema.FieldString(schema.Field(f.Extra, "usage"), "speed"))
	}
	s.putPrompt(i, f)
	s.usage(f, i)
}

func llmEndProps(e *schema.Event) []Prop {
	status := schema.StatusCompleted
	if e.IsError {
		status = schema.StatusFailed
	}
	var text, duration any
	if e.Content != "" {
		text = clip(e.Content)
	}
	if e.DurationMS != nil {
		duration = *e.DurationMS
	}
	return []Prop{{"status", status}, {"text", text}, {"duration_ms", duration}}
}

// task folds TaskCreated and TaskCompleted: one action a task.
func (s *Session) task(f *fact) {
	if f.TaskID == "" {
		s.single(f, Task)
		return
	}
	i, created := s.keyed(f, taskKey(s.id, f.TaskID), Task)
	if created {
		s.put(i, Prop{"task_id", f.TaskID})
	}
	regs := &s.actions.at(i).regs
	if won, taken := s.regs.take(regs, f.stamp(0), classText); won != 0 {
		s.put(i, eventProps(f.Event, Task, taken != 0)...)
	}
	// The latest word on a task is its status; completed beats what came with it.
	if f.Status != "" {
		st := f.stamp(1)
		if f.Status == schema.StatusCompleted {
			st.rank = 0
		}
		st.time = -st.time
		if won, _ := s.regs.take(regs, st, classTool); won != 0 {
			s.put(i, Prop{"status", f.Status})
		}
	}
	s.putPrompt(i, f)
}

// relate puts the edges that an event names: to actions that are events themselves,
// now or once they come.
func (s *Session) relate(f *fact) {
	if f.self == 0 {
		return
	}
	for _, id := range f.RelatedTo {
		key := eventKey(s.id, id)
		if to := s.actions.find(key); to != 0 {
			s.putEdge(RelatedTo, s.handle(f.self), s.handle(to))
		} else {
			s.related[key] = append(s.related[key], s.actions.at(f.self).key)
		}
	}
	if len(s.related) == 0 {
		return
	}
	key := s.actions.at(f.self).key
	for _, from := range s.related[key] {
		if i := s.actions.find(from); i != 0 {
			s.putEdge(RelatedTo, s.handle(i), s.handle(f.self))
		}
	}
	delete(s.related, key)
}

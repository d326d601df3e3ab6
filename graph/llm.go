package graph

import (
	"bytes"
	"encoding/json"

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
	llmRequest
)

// llm folds a model call: llm_start and llm_end are one action. Its key is the model
// API's message id, else the event id of its start; of an end that does not say which call
// it is of, that of the end: see told.
func (s *Session) llm(f *fact) {
	loose := unplaced(f.Event)
	switch {
	case loose && s.isTold(f, schema.LLMEnd):
		return
	case f.EventType == schema.LLMEnd && f.MessageID == "" && f.CausedBy != "":
		s.tell(f, llmKey(s.id, f.EventID))
	}
	id := f.MessageID
	if id == "" {
		id = f.EventID
		if f.EventType == schema.LLMEnd && f.CausedBy != "" {
			id = f.CausedBy
		}
	}
	i, created := s.keyed(f, llmKey(s.id, id), LLMCall)
	s.setLoose(i, loose, created)
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
	switch {
	case f.EventType == schema.LLMEnd:
		if won, _ := s.regs.take(regs, f.stamp(0), llmEnd); won != 0 {
			s.put(i, llmEndProps(f.Event)...)
		}
	case f.Origin == schema.OriginAudit: // nobody will end what a file tells of, but the file
		if won, _ := s.regs.take(regs, f.stamp(1), llmEnd); won != 0 {
			s.put(i, Prop{"status", schema.StatusUnknown})
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
	if request := schema.Field(f.Extra, "request"); f.EventType == schema.LLMStart && len(request) > 0 {
		text(llmRequest, "request", string(cutJSON(request)))
	}
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
	var text, duration, problem, response any
	if e.Content != "" {
		text = clip(e.Content)
	}
	if e.DurationMS != nil {
		duration = *e.DurationMS
	}
	if e.ErrorMessage != "" {
		problem = clip(e.ErrorMessage)
	}
	if raw := schema.Field(e.Extra, "model_response"); len(raw) > 0 && !sameJSON(raw, e.Content) {
		response = string(cutJSON(raw))
	}
	return []Prop{{"status", status}, {"is_error", flag(e.IsError)}, {"text", text}, {"duration_ms", duration},
		{"error_message", problem}, {"model_response", response}}
}

// sameJSON reports whether a text is the JSON of raw: what a model said in JSON is not
// stored a second time as what was read out of it.
func sameJSON(raw []byte, text string) bool {
	if len(text) < len("{}") || string(raw) == "null" {
		return string(raw) == "null"
	}
	var a, b bytes.Buffer
	return json.Compact(&a, raw) == nil && json.Compact(&b, []byte(text)) == nil && bytes.Equal(a.Bytes(), b.Bytes())
}

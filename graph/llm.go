package graph

import (
	"math"

	"github.com/actiongraph/actiongraph/schema"
)

// spending is what one model call used: a runtime states it several times, growing
// (one transcript line a content block), so each figure is the greatest seen.
type spending struct {
	input, output, cacheRead, cacheWrite int64
	cost                                 int64 // billionths of a dollar: sums of floats depend on their order
}

// Classes of an LLMCall's properties, beside those of every action.
const (
	llmModel class = 1 << (16 + iota)
	llmEnd
	llmHash
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
	regs := &s.actions[i].regs
	if f.Model != "" {
		if won, _ := regs.take(f.stamp(0), llmModel); won != 0 {
			s.put(i, Prop{"model", f.Model}, Prop{"name", f.Model})
		}
	}
	if created {
		s.put(i, Prop{"status", schema.StatusInProgress})
		if f.Model == "" {
			s.put(i, Prop{"name", "model call"})
		}
	}
	if f.PromptHash != "" {
		if won, _ := regs.take(f.stamp(0), llmHash); won != 0 {
			s.put(i, Prop{"prompt_hash", f.PromptHash})
		}
	}
	if f.EventType == schema.LLMEnd {
		if won, _ := regs.take(f.stamp(0), llmEnd); won != 0 {
			s.put(i, llmEndProps(f.Event)...)
		}
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

// usage folds token counts and cost into the call i, and into the sum of the
// session's calls.
func (s *Session) usage(f *fact, i int32) {
	if f.InputTokens == nil && f.OutputTokens == nil && f.CacheReadInputTokens == nil &&
		f.CacheCreationInputTokens == nil && f.CostUSD == nil {
		return
	}
	u := s.usages[i]
	if u == nil {
		u = &spending{}
		s.usages[i] = u
	}
	s.put(i, u.raise(f.Event, &s.node.spent)...)
}

// raise raises the figures to those that e states, adds the differences to sum, and
// returns what changed.
func (u *spending) raise(e *schema.Event, sum *spending) (props []Prop) {
	for _, m := range []struct {
		name      string
		value     *int64
		most, sum *int64
	}{
		{"input_tokens", e.InputTokens, &u.input, &sum.input},
		{"output_tokens", e.OutputTokens, &u.output, &sum.output},
		{"cache_read_input_tokens", e.CacheReadInputTokens, &u.cacheRead, &sum.cacheRead},
		{"cache_creation_input_tokens", e.CacheCreationInputTokens, &u.cacheWrite, &sum.cacheWrite},
	} {
		if m.value != nil && *m.value > *m.most {
			*m.sum += *m.value - *m.most
			*m.most = *m.value
			props = append(props, Prop{m.name, *m.value})
		}
	}
	if e.CostUSD != nil {
		if cost := int64(math.Round(*e.CostUSD * 1e9)); cost > u.cost {
			sum.cost += cost - u.cost
			u.cost = cost
			props = append(props, Prop{"cost_usd", float64(cost) / 1e9})
		}
	}
	return props
}

// max returns the greater of each figure.
func (u spending) max(o spending) spending {
	return spending{
		input: max(u.input, o.input), output: max(u.output, o.output),
		cacheRead: max(u.cacheRead, o.cacheRead), cacheWrite: max(u.cacheWrite, o.cacheWrite),
		cost: max(u.cost, o.cost),
	}
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
	regs := &s.actions[i].regs
	if won, taken := regs.take(f.stamp(0), classText); won != 0 {
		s.put(i, eventProps(f.Event, Task, taken != 0)...)
	}
	// The latest word on a task is its status; completed beats what came with it.
	if f.Status != "" {
		st := f.stamp(1)
		if f.Status == schema.StatusCompleted {
			st.rank = 0
		}
		st.time = -st.time
		if won, _ := regs.take(st, classTool); won != 0 {
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
		if to, ok := s.index[key]; ok {
			s.putEdge(RelatedTo, s.ref(f.self), s.ref(to))
		} else {
			s.related[key] = append(s.related[key], s.ref(f.self))
		}
	}
	if len(s.related) == 0 {
		return
	}
	key := s.actions[f.self].key
	for _, from := range s.related[key] {
		s.putEdge(RelatedTo, from, s.ref(f.self))
	}
	delete(s.related, key)
}

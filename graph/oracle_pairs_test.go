package graph

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// pairing is one occasion that hooks, lines of a transcript, or both tell of.
type pairing struct {
	at, seq int64
	queued  bool // the line of a prompt that was typed while the agent worked
}

// with returns the occasion that a hook and a line tell of: when the first of them was,
// but what was queued is where its line says.
func (p pairing) with(line pairing) pairing {
	if line.queued {
		return pairing{at: line.at, seq: line.seq}
	}
	return pairing{at: min(p.at, line.at), seq: line.seq}
}

func inTime(list []pairing) []pairing {
	slices.SortFunc(list, func(a, b pairing) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) })
	return list
}

// pairUp pairs hooks and lines one to one in the order of time, a line at most ten
// seconds before its hook unless it was queued, and returns the pairs, and the hooks and
// lines that are left.
func pairUp(recs []record) (both, hooks, lines []pairing) {
	times := occasions(where(recs, func(r record) bool { return r.Origin == schema.OriginHook }))
	same := map[string][]record{}
	for _, r := range where(recs, func(r record) bool { return r.Origin != schema.OriginHook }) {
		same[r.EventID] = append(same[r.EventID], r)
	}
	for _, recs := range same {
		lines = append(lines, lineOf(recs))
	}
	inTime(lines)
	var alone []pairing
	for _, hook := range times {
		for len(lines) > 0 && !lines[0].queued && lines[0].at < hook-int64(10*time.Second) {
			alone, lines = append(alone, lines[0]), lines[1:]
		}
		if len(lines) == 0 {
			hooks = append(hooks, pairing{at: hook})
			continue
		}
		both, lines = append(both, pairing{at: hook}.with(lines[0])), lines[1:]
	}
	return both, hooks, append(alone, lines...)
}

// lineOf is one line by all its records.
func lineOf(recs []record) pairing {
	line := pairing{at: recs[0].at, seq: recs[0].Seq}
	for _, r := range recs {
		queued := strings.Contains(string(r.Extra), `"queued"`)
		line = pairing{min(line.at, r.at), min(line.seq, r.Seq), line.queued || queued}
	}
	return line
}

// promptsOf are the prompts of one lane with one prompt id, role and text.
type promptsOf struct {
	prompt string
	typ    ActionType
	recs   []record

	key                schema.Key
	both, hooks, lines []pairing
}

func (w *world) findPrompts() {
	type kind struct{ lane, text string }
	texts, skills := map[kind][]record{}, map[kind][]record{}
	for _, r := range w.recs {
		k := kind{r.AgentID, promptText(r.Content)}
		switch {
		case r.EventType == schema.Message && singleType(r) == "":
			texts[k] = append(texts[k], r)
		case r.EventType == schema.Skill && singleType(r) == "":
			skills[k] = append(skills[k], r)
		}
	}
	for k, recs := range texts {
		for _, g := range promptGroups(w.session, k.lane, k.text, recs) {
			for n, p := range inTime(slices.Concat(g.both, g.hooks, g.lines)) {
				v := w.vertexOf(schema.NewKey("prompt", g.key.String(), strconv.Itoa(n)), g.typ, k.lane)
				role := map[ActionType]string{UserMessage: "user", SystemMessage: "system"}[g.typ]
				v.own, v.seq, v.underLane = p.at, p.seq, true
				v.set(Prop{"name", gist(k.text)}, Prop{"text", clip(k.text)}, Prop{"role", role}, Prop{"status", schema.StatusCompleted})
				if g.prompt != "" {
					v.set(Prop{"prompt_id", g.prompt})
				}
				v.some("permission_mode", g.recs, extra("permission_mode"))
				v.some("images", g.recs, func(r record) string { return string(schema.Field(r.Extra, "images")) })
				for _, name := range []string{"expansion_type", "command_name", "command_args", "command_source"} {
					expansions := where(skills[k], func(r record) bool { return r.PromptID == g.prompt && g.typ == UserMessage })
					v.some(name, expansions, extra(name))
				}
			}
		}
	}
}

// promptGroups pairs the facts of one lane and text: first those of one prompt id and
// role, then what is left, a line at most ten seconds before its hook and a minute after,
// and a day before or after where it was queued.
func promptGroups(session, lane, text string, recs []record) []*promptsOf {
	groups := map[schema.Key]*promptsOf{}
	group := func(r record) *promptsOf {
		typ := UserMessage
		if promptRoleOf(r) == "system" {
			typ = SystemMessage
		}
		key := schema.NewKey("prompts", session, lane, r.PromptID, promptRoleOf(r), text)
		if groups[key] == nil {
			groups[key] = &promptsOf{key: key, prompt: r.PromptID, typ: typ}
		}
		groups[key].recs = append(groups[key].recs, r) // whatever it says of the prompt
		return groups[key]
	}
	lines := map[string][]record{}
	facts := map[*promptsOf][]record{}
	for _, r := range recs {
		g := group(r)
		if r.Origin == schema.OriginHook {
			facts[g] = append(facts[g], r)
		} else {
			lines[r.EventID] = append(lines[r.EventID], r)
		}
	}
	for _, recs := range lines { // of several records of a line those with a prompt id say where it is
		r := least(recs, func(r record) uint8 {
			if r.PromptID == "" {
				return 1
			}
			return 0
		})
		p := lineOf(recs)
		e := *r.Event
		e.Seq = p.seq
		if e.Extra = nil; p.queued {
			e.Extra = []byte(`{"queued":true}`)
		}
		g := groups[schema.NewKey("prompts", session, lane, r.PromptID, promptRoleOf(*r), text)]
		facts[g] = append(facts[g], record{Event: &e, at: p.at, sum: r.sum})
	}
	var hooks, left []openPrompt
	for _, g := range groups {
		slices.SortFunc(facts[g], func(a, b record) int { return cmp.Compare(a.at, b.at) })
		g.both, g.hooks, g.lines = pairUp(facts[g])
		for _, h := range g.hooks {
			hooks = append(hooks, openPrompt{g, h, 0})
		}
		for _, r := range facts[g] {
			if l := lineOf([]record{r}); r.Origin != schema.OriginHook && slices.Contains(g.lines, l) {
				left = append(left, openPrompt{g, l, uint64(fnvOffset.str(lane).str(text).str(r.EventID))})
			}
		}
	}
	lend(hooks, left)
	return slices.Collect(maps.Values(groups))
}

// promptRoleOf is whose a message of a hook or a transcript is. A slash command that is
// not the runtime's own is a person's.
func promptRoleOf(r record) string {
	command := r.Origin == schema.OriginTranscript && strings.HasPrefix(r.Content, "<command-message>") &&
		tagged(r.Content, "command-name") != ""
	if r.Role == schema.RoleSystem && !command {
		return "system"
	}
	return "user"
}

type openPrompt struct {
	*promptsOf
	pairing
	id uint64
}

// lend gives hooks without a line, in the order of time, the earliest line of another
// group that is near.
func lend(hooks, lines []openPrompt) {
	slices.SortFunc(hooks, func(a, b openPrompt) int { return cmp.Or(cmp.Compare(a.at, b.at), slices.Compare(a.key[:], b.key[:])) })
	slices.SortFunc(lines, func(a, b openPrompt) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq), cmp.Compare(a.id, b.id))
	})
	for _, h := range hooks {
		for k, l := range lines {
			early, late := 10*time.Second, time.Minute
			if l.queued {
				early, late = 24*time.Hour, 24*time.Hour
			}
			if d := time.Duration(l.at - h.at); d >= -early && d <= late {
				h.hooks = remove(h.promptsOf.hooks, h.pairing)
				h.promptsOf.hooks = h.hooks
				h.both = append(h.both, h.pairing.with(l.pairing))
				h.promptsOf.both = h.both
				l.promptsOf.lines = remove(l.promptsOf.lines, l.pairing)
				lines = slices.Delete(lines, k, k+1)
				break
			}
		}
	}
}

func remove(list []pairing, p pairing) []pairing {
	k := slices.Index(list, p)
	return slices.Delete(list, k, k+1)
}

// telling is a fact that tells of the end of a turn: of a hook's action, or of a line.
type telling struct {
	record
	first, seq int64
	line       bool
	v          *vertex
}

func (t telling) stage() int {
	switch {
	case t.EventType != schema.TurnEnd:
		return map[bool]int{true: 0, false: 1}[t.line]
	case !t.line:
		return 0
	case t.HookEventName == "turn_duration":
		return 2
	}
	return 1
}

// at is when it was: a line of a turn's end says only in which millisecond.
func (t telling) at() int64 {
	if t.line && t.EventType == schema.TurnEnd {
		return t.first + 999_999
	}
	return t.first
}

// findEnds makes one action of Stop, stop_hook_summary and turn_duration that follow each
// other within ten minutes, and of an API error's line and StopFailure within ten seconds.
func (w *world) findEnds() {
	type kind struct {
		lane string
		typ  schema.Type
		err  string
	}
	kinds, lines := map[kind][]telling{}, map[string]map[kind][]record{}
	of := func(r record) kind {
		if r.EventType == schema.TurnEnd {
			return kind{r.AgentID, r.EventType, ""}
		}
		return kind{r.AgentID, r.EventType, r.ErrorType}
	}
	for _, t := range w.hooked {
		t.seq = 0
		kinds[of(t.record)] = append(kinds[of(t.record)], t)
	}
	for _, r := range w.recs {
		if r.Origin == schema.OriginTranscript && (r.EventType == schema.TurnEnd || isTurnFailure(r)) {
			if lines[r.EventID] == nil {
				lines[r.EventID] = map[kind][]record{}
			}
			k := of(r)
			k.err = r.ErrorType
			lines[r.EventID][k] = append(lines[r.EventID][k], r)
		}
	}
	for _, byKind := range lines {
		for k, recs := range byKind {
			t := telling{record: *first(recs), line: true}
			t.first = t.record.at
			for _, r := range recs {
				if r.Seq != 0 && (t.seq == 0 || r.Seq < t.seq) {
					t.seq = r.Seq
				}
			}
			if k.typ == schema.TurnEnd {
				k.err = ""
			}
			kinds[k] = append(kinds[k], t)
		}
	}
	for k, list := range kinds {
		gap := int64(10 * time.Minute)
		if k.typ != schema.TurnEnd {
			gap = int64(10 * time.Second)
		}
		slices.SortFunc(list, func(a, b telling) int {
			ka, kb := w.tellingKey(a), w.tellingKey(b)
			return cmp.Or(cmp.Compare(a.at(), b.at()), cmp.Compare(a.stage(), b.stage()), slices.Compare(ka[:], kb[:]))
		})
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n-1].stage() < list[n].stage() && list[n].at()-list[n-1].at() <= gap {
				n++
			}
			w.oneEnd(list[:n])
			list = list[n:]
		}
	}
}

func (w *world) tellingKey(t telling) schema.Key {
	if !t.line {
		return t.v.key
	}
	typ := map[schema.Type]ActionType{schema.TurnEnd: TurnEnd, schema.Error: ErrorEvent, schema.RateLimit: RateLimitEvent}[t.EventType]
	return schema.NewKey("line", w.session, t.AgentID, string(typ), t.ErrorType, t.EventID)
}

// oneEnd makes one action of facts: the hook's, else that of the first line.
func (w *world) oneEnd(facts []telling) {
	var v *vertex
	for _, t := range facts {
		if !t.line {
			v = t.v
		}
	}
	if v == nil {
		t := facts[0]
		typ := map[schema.Type]ActionType{schema.TurnEnd: TurnEnd, schema.Error: ErrorEvent, schema.RateLimit: RateLimitEvent}[t.EventType]
		v = w.vertexOf(w.tellingKey(t), typ, t.AgentID)
		v.underLane = true
		if typ == TurnEnd {
			v.set(Prop{"name", "turn end"}, Prop{"status", schema.StatusCompleted}, Prop{"hook_event_name", t.HookEventName})
		} else {
			w.singleContent(v, &t.record)
		}
		if t.PromptID != "" {
			v.set(Prop{"prompt_id", t.PromptID})
		}
	}
	v.own, v.seq = facts[0].first, 0
	for _, t := range facts {
		if !t.line {
			continue
		}
		if t.seq != 0 && (v.seq == 0 || t.seq < v.seq) {
			v.seq = t.seq
		}
		if status := apiStatus(t.Event); t.stage() == 0 && status != nil {
			v.set(Prop{"api_error_status", status})
		}
		if t.DurationMS != nil && t.EventType == schema.TurnEnd {
			v.set(Prop{"duration_ms", *t.DurationMS})
		}
		if rest := leftovers(t.Event); rest != "" && t.EventType == schema.TurnEnd && t.stage() == 1 {
			v.set(Prop{"stop_hooks", rest})
		}
	}
}

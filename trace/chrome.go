package trace

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// chromeEvent is one of the Trace Event Format. Times are in microseconds.
type chromeEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"`
	TS    json.Number    `json:"ts,omitempty"`
	Dur   json.Number    `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	ID    int            `json:"id,omitempty"`
	BP    string         `json:"bp,omitempty"` // "e": an arrow ends at the slice that it is in
	Scope string         `json:"s,omitempty"`  // "t": an instant is its thread's
	Args  map[string]any `json:"args,omitempty"`

	args func() map[string]any // asked when it is written: as maps they would be most of the memory
	at   int64                 // ns
	// last puts what is at one moment in order: what holds others first.
	last int64
}

// chrome writes one process a session and one thread a lane, with more threads where calls of
// a lane were under way at once: slices of one thread must hold each other or be apart.
// Times count from the first session's start, as doubles of microseconds since 1970 would not
// tell nanoseconds apart; the start is in otherData.
func (r *Report) chrome(ctx context.Context, w *bufio.Writer, log *history.Log, o Options) error {
	sessions, err := fold(ctx, log, o.Content, o)
	if err != nil {
		return err
	}
	t := timeline{o: o}
	for _, f := range sessions {
		spans := f.spans()
		if len(spans) == 0 {
			continue
		}
		if t.zero.IsZero() {
			t.zero = spans[0].start
		}
		for _, s := range spans { // the ancestors' come first, but clocks disagree
			if s.start.Before(t.zero) {
				t.zero = s.start
			}
		}
		t.spans = append(t.spans, spans)
		t.folded = append(t.folded, f)
	}
	for i := range t.spans {
		t.process(i)
	}
	r.Items = t.slices
	return t.write(w)
}

type timeline struct {
	*encoder // of the session that is being put into threads
	o        Options
	zero     time.Time
	folded   []*folded
	spans    [][]*span
	names    []chromeEvent // of processes and threads
	events   []chromeEvent
	arrows   int
	slices   int
}

func (t *timeline) write(w *bufio.Writer) error {
	slices.SortStableFunc(t.events, func(a, b chromeEvent) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.last, a.last))
	})
	w.WriteString(`{"displayTimeUnit":"ms","otherData":{"producer":"actiongraph"`)
	if !t.zero.IsZero() {
		fmt.Fprintf(w, `,"start":"%s"`, schema.FormatTime(t.zero))
	}
	w.WriteString(`},"traceEvents":[`)
	for i, e := range append(t.names, t.events...) {
		if i > 0 {
			w.WriteByte(',')
		}
		if e.args != nil {
			e.Args = e.args()
		}
		line, err := json.Marshal(&e)
		if err != nil {
			return err
		}
		w.WriteByte('\n')
		w.Write(line)
	}
	_, err := w.WriteString("\n]}\n")
	return err
}

// process puts a session's spans into threads.
func (t *timeline) process(n int) {
	t.encoder = &encoder{f: t.folded[n], o: t.o}
	pid := n + 1
	session := t.f.session
	name := t.f.sdk() + " " + session.SessionID
	if title := t.content(session.Title); title != "" {
		name += ": " + title
	}
	t.name(pid, 0, "process_name", map[string]any{"name": name})
	threads := 0
	thread := func(name string) int {
		threads++
		t.name(pid, threads, "thread_name", map[string]any{"name": name})
		t.name(pid, threads, "thread_sort_index", map[string]any{"sort_index": threads})
		return threads
	}
	before, all := t.spans[n][0].events, lanes(t.spans[n]) // before the first turn: on the main thread
	if len(before) > 0 && (len(all) == 0 || all[0][0].lane != "") {
		thread("main") // which has no slice, and is still the first
	}
	place := map[*span]int{}
	for _, lane := range all {
		for i, track := range tracks(lane) {
			on := thread(laneName(lane[0], i))
			for _, s := range track {
				place[s] = on
				t.slice(pid, on, s)
			}
		}
	}
	for _, s := range t.spans[n] {
		if s.kind == agentSpan && s.parent.kind == toolSpan {
			t.arrow(pid, s.parent, s, place)
		}
	}
	for _, a := range before {
		t.instant(pid, 1, a)
	}
}

// lanes gives the spans of each lane, the main thread's first and the others' as they begin.
// The session itself is the process.
func lanes(spans []*span) (out [][]*span) {
	at := map[string]int{}
	for _, s := range spans[1:] {
		i, ok := at[s.lane]
		if !ok {
			i = len(out)
			at[s.lane] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	slices.SortStableFunc(out, func(a, b []*span) int {
		return cmp.Or(cmp.Compare(min(len(a[0].lane), 1), min(len(b[0].lane), 1)), a[0].start.Compare(b[0].start), cmp.Compare(a[0].lane, b[0].lane))
	})
	return out
}

// tracks divides the spans of a lane so that those of one track hold each other or are apart.
func tracks(lane []*span) (out [][]*span) {
	lane = slices.Clone(lane)
	slices.SortStableFunc(lane, func(a, b *span) int { // which has those first that hold others
		return cmp.Or(a.start.Compare(b.start), b.end.Compare(a.end))
	})
	var open [][]*span // of each track, those that are under way
	for _, s := range lane {
		i := 0
		for ; i < len(out); i++ {
			for n := len(open[i]); n > 0 && !open[i][n-1].end.After(s.start); n-- {
				open[i] = open[i][:n-1]
			}
			if n := len(open[i]); n == 0 || !s.end.After(open[i][n-1].end) {
				break
			}
		}
		if i == len(out) {
			out, open = append(out, nil), append(open, nil)
		}
		out[i], open[i] = append(out[i], s), append(open[i], s)
	}
	return out
}

func laneName(s *span, track int) string {
	name := "main"
	for ; s != nil && s.lane != ""; s = s.parent {
		if s.kind == agentSpan {
			name = cmp.Or(s.agent.AgentType, "subagent") + " " + s.lane
			break
		}
	}
	if track > 0 {
		name += fmt.Sprintf(" (%d)", track+1)
	}
	return name
}

func (t *timeline) name(pid, tid int, what string, args map[string]any) {
	t.names = append(t.names, chromeEvent{Name: what, Phase: "M", PID: pid, TID: tid, Args: args})
}

// micros is a time on the timeline.
func (t *timeline) micros(at time.Time) json.Number { return micros(int64(at.Sub(t.zero))) }

func micros(ns int64) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", ns/1000, ns%1000))
}

func (t *timeline) put(e chromeEvent, at time.Time) {
	e.TS, e.at = t.micros(at), int64(at.Sub(t.zero))
	t.events = append(t.events, e)
}

func (t *timeline) slice(pid, tid int, s *span) {
	t.slices++
	took, e := int64(s.end.Sub(s.start)), t.encoder
	t.put(chromeEvent{
		Name: e.caption(s), Cat: category(s), Phase: "X", Dur: micros(took), PID: pid, TID: tid, last: took,
		args: func() map[string]any { return e.args(s) },
	}, s.start)
	for _, a := range s.events {
		t.instant(pid, tid, a)
	}
}

func (t *timeline) instant(pid, tid int, a *graph.ActionRow) {
	e := t.encoder
	t.put(chromeEvent{
		Name: string(a.ActionType), Cat: "event", Phase: "i", Scope: "t", PID: pid, TID: tid, last: -1,
		args: func() map[string]any {
			args := map[string]any{"action_id": a.ActionID}
			set(args, "tool_name", a.ToolName)
			set(args, "status", a.Status)
			set(args, "text", e.content(cmp.Or(a.Text, a.Name)))
			return args
		},
	}, a.Timestamp)
}

// arrow leads from a call to the subagent that it spawned. One that would lead back in time, as
// clocks that disagree have it, is not drawn by viewers.
func (t *timeline) arrow(pid int, from, to *span, place map[*span]int) {
	if to.start.Before(from.start) {
		return
	}
	t.arrows++
	at := from.start
	e := chromeEvent{Name: "spawn", Cat: "spawn", ID: t.arrows, PID: pid, last: -1}
	e.Phase, e.TID = "s", place[from]
	t.put(e, at)
	e.Phase, e.TID, e.BP = "f", place[to], "e"
	t.put(e, to.start)
}

func category(s *span) string {
	return [...]string{"session", "turn", "agent", "tool", "model"}[s.kind]
}

// caption is what a slice says on itself.
func (e *encoder) caption(s *span) string {
	switch s.kind {
	case turnSpan:
		return fmt.Sprintf("turn %d", s.action.Turn)
	case agentSpan:
		return cmp.Or(s.agent.AgentType, "subagent")
	case toolSpan:
		return cmp.Or(e.content(s.action.Name), s.action.ToolName, "tool")
	}
	return cmp.Or(s.action.Model, "model call")
}

func (e *encoder) args(s *span) map[string]any {
	args := map[string]any{"start": schema.FormatTime(s.start)}
	set(args, "status", e.f.status(s))
	if s.kind == agentSpan {
		set(args, "agent_id", s.agent.AgentID)
		set(args, "description", e.content(s.agent.Description))
		return args
	}
	set(args, "action_id", s.action.ActionID)
	set(args, "tool_use_id", s.action.ToolUseID)
	set(args, "prompt", e.content(promptOf(s)))
	if s.kind == toolSpan {
		set(args, "input", e.content(toolInput(s.action)))
		if s.result != nil {
			set(args, "result", e.content(s.result.Text))
		}
	}
	for _, name := range []string{"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"} {
		if n := number(s.action, name); n != 0 {
			args[name] = n
		}
	}
	return args
}

func promptOf(s *span) string {
	if s.kind == turnSpan {
		return s.action.Text
	}
	return ""
}

func set(args map[string]any, name, v string) {
	if v != "" {
		args[name] = v
	}
}

package storetest

import (
	"math"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/graph"
)

// kinds of values that a property is drawn from.
type kind int

const (
	word kind = iota
	sentence
	document // JSON
	count
	few // sums fit
	amount
	quarters // sums are exact in any order
	instant
	boolean
	status
	directory
)

type property struct {
	name string
	kind kind
}

var actionProps = []property{
	{"name", sentence}, {"timestamp", instant}, {"timestamp", instant}, {"started_at", instant}, {"ended_at", instant},
	{"duration_ms", amount}, {"status", status}, {"status", status}, {"agent_id", word}, {"parent_action_id", word},
	{"parent_unknown", boolean}, {"prompt_id", word}, {"turn", count}, {"seq", count}, {"model", word}, {"tool_name", word},
	{"tool_name", word}, {"tool_use_id", word}, {"is_error", boolean}, {"is_mcp", boolean}, {"mcp_server", word},
	{"never_ran", boolean}, {"text", sentence}, {"text", sentence}, {"error_message", sentence}, {"command", sentence},
	{"file_path", sentence}, {"exit_code", count}, {"role", word}, {"cost_usd", amount}, {"properties", document},
	{"metadata", document}, {"what is this?", sentence}, {"seen_at", instant},
	{"lines_added", few}, {"lines_removed", few}, {"thinking", boolean},
}

var sessionProps = []property{
	{"name", sentence}, {"status", status}, {"started_at", instant}, {"ended_at", instant},
	{"last_event_at", instant}, {"title", sentence}, {"first_prompt", sentence}, {"working_directory", directory},
	{"git_branch", word}, {"host", word}, {"user", word}, {"source_sdk", word}, {"action_count", count},
	{"tool_call_count", count}, {"message_count", count}, {"agent_count", count}, {"error_count", count},
	{"total_cost_usd", quarters}, {"total_input_tokens", count}, {"total_output_tokens", count}, {"metadata", document},
	{"total_lower_bound", boolean}, {"favourite_colour", word},
}

var agentProps = []property{
	{"agent_type", word}, {"description", sentence}, {"prompt", sentence}, {"started_at", instant}, {"ended_at", instant},
	{"status", status}, {"parent_unknown", boolean}, {"last_assistant_message", sentence}, {"total_tokens", count},
	{"total_input_tokens", count}, {"total_output_tokens", count}, {"total_cache_read_input_tokens", count},
	{"total_cache_creation_input_tokens", count}, {"total_lower_bound", boolean},
}

// vocabulary is the vocabulary of generated texts: few, so that searches find something.
var vocabulary = []string{"alpha", "Beta", "gamma-delta", "café", "naïve", "main.go", "42", "the", "x_y", "日本", "\"quoted\"", "AND", "NEAR(", "*"}

// ordered are the properties that readers compare with < and >: of these a value of
// another type than usual has no defined place.
var ordered = []string{"timestamp", "started_at", "error_count"}

func (w *world) props(from []property) (props []graph.Prop) {
	for range rapid.IntRange(0, 6).Draw(w.t, "props") {
		p := pick(w, from)
		v := w.value(p.kind)
		if w.odds(20) && !slices.Contains(ordered, p.name) {
			v = w.value(kind(rapid.IntRange(0, int(directory)).Draw(w.t, "kind"))) // another type than usual
		}
		if w.odds(6) {
			v = nil
		}
		props = slices.DeleteFunc(props, func(q graph.Prop) bool { return q.Name == p.name })
		props = append(props, graph.Prop{Name: p.name, Value: v})
	}
	return props
}

func (w *world) edgeProps() []graph.Prop {
	if !w.odds(4) {
		return nil
	}
	return []graph.Prop{{Name: "weight", Value: w.value(kind(rapid.IntRange(0, int(boolean)).Draw(w.t, "kind")))}}
}

func (w *world) value(k kind) any {
	switch k {
	case word:
		return pick(w, []string{"Bash", "Read", "agent-1", "agent-2", "", "session-0", "tool_call", "0123456789abcdef0123456789abcdef",
			"0123456789ABCDEF0123456789abcdef", "\x00nul", "it's"})
	case sentence:
		s := ""
		for range rapid.IntRange(0, 5).Draw(w.t, "words") {
			s += pick(w, vocabulary) + pick(w, []string{" ", "\n", ", ", "/"})
		}
		return s
	case document:
		return pick(w, []string{`{}`, `{"tool_input":{"command":"alpha beta","n":1,"list":["gamma",{"alpha":"日本"}]}}`,
			`{"tool_input":"caf\u00e9 \"main.go\""}`, `{"other":"alpha"}`, `not json`})
	case count:
		return pick(w, []int64{0, 1, 2, 7, -1, math.MaxInt64, math.MinInt64, 1 << 40})
	case few:
		return pick(w, []int64{0, 1, 2, 40})
	case amount:
		return pick(w, []float64{0, 1, 0.25, 12.5, 1e21, -3.5, 1e-9, math.MaxFloat64, math.Inf(1)})
	case quarters:
		return pick(w, []float64{0.25, 1.5, 7})
	case instant:
		return graph.Time(time.Date(2026, 1, 1, 0, 0, rapid.IntRange(0, 5).Draw(w.t, "s"), 1, time.UTC).UnixNano())
	case status:
		return pick(w, []string{"completed", "failed", "denied", "blocked", "active"})
	case directory:
		return pick(w, []string{"/home/me", "/home/me/src", "/home/mel", `C:\src\x`, "/"})
	}
	return rapid.Bool().Draw(w.t, "bool")
}

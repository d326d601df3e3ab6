package diff

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/usage"
)

// Change says in which of the two something is.
type Change string

// The changes.
const (
	Same    Change = "same"
	Changed Change = "changed"
	AOnly   Change = "a_only"
	BOnly   Change = "b_only"
)

// Diff is what differs between two sessions, A and B.
type Diff struct {
	// The five counts; see the package's documentation.
	SharedEvents       int `json:"shared_events"`
	AOnlyEvents        int `json:"a_only_events"`
	BOnlyEvents        int `json:"b_only_events"`
	DivergentNodes     int `json:"divergent_nodes"`
	DivergentRelations int `json:"divergent_relations"`

	// Same says that both did and said the same, turn by turn.
	Same bool `json:"same"`
	// First is where they differ first, nil where they do not.
	First *Place  `json:"first_divergence,omitempty"`
	A     Session `json:"a"`
	B     Session `json:"b"`
	// WrittenByA are the files that only A's calls wrote, as seen from its directory, sorted;
	// WrittenByB those that only B's did.
	WrittenByA []string `json:"files_written_by_a_only"`
	WrittenByB []string `json:"files_written_by_b_only"`
	Turns      []*Item  `json:"turns"`
}

// Session is one of the two.
type Session struct {
	SessionID  string    `json:"session_id"`
	Title      string    `json:"title,omitempty"` // else the beginning of its first prompt
	StartedAt  time.Time `json:"started_at,omitzero"`
	Model      string    `json:"model,omitempty"`
	ForkedFrom string    `json:"forked_from,omitempty"`
	// MissingParent is the session that it was forked from, of which there is no record here.
	MissingParent string  `json:"missing_parent,omitempty"`
	Totals        Figures `json:"totals"` // of its whole history, what it inherited included
}

// Figures are sums over calls. They differ between any two sessions, which makes neither of
// them different.
type Figures struct {
	Calls      int      `json:"calls"`
	Failed     int      `json:"failed_calls"` // failed, denied, blocked
	Agents     int      `json:"agents"`
	DurationMS float64  `json:"duration_ms"`
	Tokens     int64    `json:"total_tokens"`
	CostUSD    *float64 `json:"cost_usd,omitempty"`    // absent where no price is known
	LowerBound bool     `json:"lower_bound,omitempty"` // of tokens or cost
}

// Item is something that happened in both, or in one of them: a turn, and what is in it.
type Item struct {
	Change Change `json:"change"`
	// Kind is turn, call, agent, answer, or else an action's type.
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"` // the tool of a call, the type of an agent
	A    *Side  `json:"a,omitempty"`
	B    *Side  `json:"b,omitempty"`
	// Fields are what differs in the item itself, Items what is within it. Items are absent
	// where all of it is the same, unless Options.Full asks for it.
	Fields []Field `json:"fields,omitempty"`
	Items  []*Item `json:"items,omitempty"`
}

// Side is an item as one of the two has it.
type Side struct {
	Turn       *int      `json:"turn,omitempty"` // of a turn its number; what came before the first prompt is 0
	Gist       string    `json:"gist,omitempty"` // what it was about, in one line
	Status     string    `json:"status,omitempty"`
	At         time.Time `json:"timestamp,omitzero"`
	DurationMS *float64  `json:"duration_ms,omitempty"`
	ToolUseID  string    `json:"tool_use_id,omitempty"`
	AgentID    string    `json:"agent_id,omitempty"`
	Figures    *Figures  `json:"figures,omitempty"` // of a turn
}

// Field is a part of an item that differs: input.<member>, status, error, result, change (of a
// file), prompt, text, answer. A and B are its values where both are one line, else Hunks tell.
type Field struct {
	Name  string `json:"name"`
	A     string `json:"a,omitempty"`
	B     string `json:"b,omitempty"`
	Hunks []Hunk `json:"hunks,omitempty"`
}

// Hunk is a run of lines of a text: "-" is before those of A, "+" before those of B and a
// blank before those of both. The numbers are of its first line in each, from 1.
type Hunk struct {
	A     int      `json:"a"`
	B     int      `json:"b"`
	Lines []string `json:"lines"`
}

// Place is where two sessions differ.
type Place struct {
	TurnA *int   `json:"turn_a,omitempty"` // absent where A does not have the turn
	TurnB *int   `json:"turn_b,omitempty"`
	Kind  string `json:"kind"`
	Name  string `json:"name,omitempty"`
	GistA string `json:"gist_a,omitempty"`
	GistB string `json:"gist_b,omitempty"`
	Field string `json:"field,omitempty"` // "" where only one of them has the item
	In    Change `json:"change"`
}

// Options of a comparison.
type Options struct {
	// Full keeps what is within items that are the same.
	Full bool
	// Prices are what model calls cost; nil are those that the record itself states.
	Prices *usage.Table
}

// Compare compares two histories. Neither is changed by it, and the same two always give the
// same.
func Compare(ctx context.Context, a, b *history.Log, o Options) (*Diff, error) {
	ra, err := read(ctx, a)
	if err != nil {
		return nil, err
	}
	rb, err := read(ctx, b)
	if err != nil {
		return nil, err
	}
	// Of two ways to pair that are as good one is taken: the same one, whichever session is
	// named first.
	mirrored := cmp.Or(bytes.Compare(ra.root.exact[:], rb.root.exact[:]), strings.Compare(a.Session(), b.Session())) > 0
	if mirrored {
		ra, rb, a, b = rb, ra, b, a
	}
	c := &comparison{a: ra, b: rb, full: o.Full, paired: map[graph.Ref]graph.Ref{}, prices: o.Prices}
	if c.prices == nil {
		c.prices = &usage.Table{}
	}
	d := &Diff{Turns: c.items(ra.root.kids, rb.root.kids), A: c.session(ra, a), B: c.session(rb, b)}
	d.WrittenByA, d.WrittenByB = apart(ra.written(), rb.written())
	c.count(d)
	if mirrored {
		d.mirror()
	}
	d.Same = len(d.WrittenByA)+len(d.WrittenByB) == 0 && allSame(d.Turns)
	d.First = first(d.Turns)
	return d, nil
}

// apart returns what only one of two sorted lists has.
func apart(a, b []string) (onlyA, onlyB []string) {
	in := func(list []string) func(string) bool {
		return func(s string) bool { _, found := slices.BinarySearch(list, s); return found }
	}
	onlyA, onlyB = []string{}, []string{}
	onlyA = append(onlyA, slices.DeleteFunc(slices.Clone(a), in(b))...)
	onlyB = append(onlyB, slices.DeleteFunc(slices.Clone(b), in(a))...)
	return onlyA, onlyB
}

func allSame(items []*Item) bool {
	return !slices.ContainsFunc(items, func(it *Item) bool { return it.Change != Same })
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// first finds the first difference: what is within an item came before it ended.
func first(turns []*Item) *Place {
	for _, t := range turns {
		if t.Change == Same {
			continue
		}
		it := t.firstWithin()
		p := &Place{Kind: it.Kind, Name: it.Name, In: it.Change}
		if it.A != nil {
			p.GistA = it.A.Gist
		}
		if it.B != nil {
			p.GistB = it.B.Gist
		}
		if t.A != nil {
			p.TurnA = t.A.Turn
		}
		if t.B != nil {
			p.TurnB = t.B.Turn
		}
		if len(it.Fields) > 0 {
			p.Field = it.Fields[0].Name
		}
		return p
	}
	return nil
}

func (it *Item) firstWithin() *Item {
	asked := len(it.Fields) > 0 && (it.Fields[0].Name == "prompt" || strings.HasPrefix(it.Fields[0].Name, "input."))
	if it.Change != Changed || asked {
		return it
	}
	for _, kid := range it.Items {
		if kid.Change != Same {
			return kid.firstWithin()
		}
	}
	return it
}

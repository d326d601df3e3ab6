package neo4j

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/cypher"
)

// edges are rows like "a→b", or "a→b!" with a property.
func edgeRows(edges ...string) (rows []row) {
	for _, e := range edges {
		from, to, _ := strings.Cut(e, "→")
		props := row{}
		if to, ok := strings.CutSuffix(to, "!"); ok {
			rows = append(rows, row{"from": from, "to": to, "session": "s", "props": row{"weight": 1}})
			continue
		}
		rows = append(rows, row{"from": from, "to": to, "session": "s", "props": props})
	}
	return rows
}

// chained says what chain makes of edges: stretches like "a→b→c", then what is left.
func chained(rows []row) (chains, rest []string) {
	p := &plan{edges: map[cypher.EdgeKind][]row{followedBy(): rows}}
	p.chain()
	for _, r := range p.chains {
		chains = append(chains, strings.Join(r["keys"].([]string), "→"))
	}
	for _, r := range p.edges[followedBy()] {
		rest = append(rest, r["from"].(string)+"→"+r["to"].(string))
	}
	slices.Sort(chains)
	slices.Sort(rest)
	return chains, rest
}

func TestChain(t *testing.T) {
	for _, tc := range []struct{ name, edges, chains, rest string }{
		{"nothing", "", "", ""},
		{"a lane, out of order", "b→c c→d a→b", "a→b→c→d", ""},
		{"two lanes", "a→b x→y b→c", "a→b→c x→y", ""},
		{"a property", "a→b b→c! c→d", "a→b c→d", "b→c"},
		{"a fork", "a→b b→c b→d", "a→b→c", "b→d"},
		{"two that meet", "a→c b→c c→d", "a→c→d", "b→c"},
		{"a circle", "a→b b→c c→a x→y", "x→y", "a→b b→c c→a"},
		{"itself", "a→a a→b", "", "a→a a→b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chains, rest := chained(edgeRows(strings.Fields(tc.edges)...))
			if diff := cmp.Diff([2][]string{strings.Fields(tc.chains), strings.Fields(tc.rest)}, [2][]string{append([]string{}, chains...), append([]string{}, rest...)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the edges are, each is written exactly once.
func TestChainKeepsEveryEdge(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		want := map[string]bool{}
		for range r.IntN(12) {
			want[fmt.Sprintf("%c→%c", 'a'+r.IntN(8), 'a'+r.IntN(8))] = true
		}
		var all []string
		for e := range want {
			all = append(all, e)
		}
		chains, rest := chained(edgeRows(all...))
		got := map[string]bool{}
		count := len(rest)
		for _, e := range rest {
			got[e] = true
		}
		for _, c := range chains {
			keys := strings.Split(c, "→")
			for i := range keys[1:] {
				got[keys[i]+"→"+keys[i+1]] = true
				count++
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || count != len(want) {
			t.Fatalf("%v became %v and %v: %s", all, chains, rest, diff)
		}
	}
}

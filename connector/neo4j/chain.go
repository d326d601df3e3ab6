package neo4j

import (
	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/graph"
)

func followedBy() cypher.EdgeKind {
	return cypher.EdgeKind{Type: graph.FollowedBy, From: graph.LabelAction, To: graph.LabelAction}
}

// chain takes the FOLLOWED_BY out of the edges and puts them together to stretches of a
// lane: rows of the keys that follow each other. What no fold gives stays an edge: one
// with properties, a second one from or to an Action, a circle.
func (p *plan) chain() {
	edges := p.edges[followedBy()]
	next := make(map[string]row, len(edges)) // by where they begin
	ends := make(map[string]bool, len(edges))
	var rest []row
	for _, r := range edges {
		from, to := r["from"].(string), r["to"].(string)
		if len(r["props"].(row)) > 0 || next[from] != nil || ends[to] {
			rest = append(rest, r)
			continue
		}
		next[from], ends[to] = r, true
	}
	for _, r := range edges {
		first := r["from"].(string)
		if ends[first] || next[first] == nil {
			continue // not where a stretch begins
		}
		keys := []string{first}
		for e := next[first]; e != nil; e = next[keys[len(keys)-1]] {
			delete(next, keys[len(keys)-1])
			keys = append(keys, e["to"].(string))
		}
		p.chains = append(p.chains, row{"chain": len(p.chains), "session": r["session"], "keys": keys})
	}
	for _, r := range edges {
		if e := next[r["from"].(string)]; e != nil {
			rest = append(rest, e)
			delete(next, r["from"].(string))
		}
	}
	p.edges[followedBy()] = rest
}

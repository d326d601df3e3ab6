package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
)

func (a *app) forksCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "forks SESSION",
		Short: "Draw the tree of forks that a session is in",
		Long: `Draw the tree of forks that a session is in, from the session that none of it was forked
from down: where each left its parent, its own actions and its status. SESSION is marked.
Forks that the agent made itself (claude --fork-session, /branch) are in it like any other.`,
		Example: `  ag-sessiond forks latest
  ag-sessiond forks c8813339 --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(a.graphs) == 0 {
				if _, err := a.borrow(cmd.Context()); err != nil { // its forks may be any of them
					return err
				}
			}
			return a.readSession(cmd.Context(), args[0], a.forks)
		},
	}
}

// lineage is a session with its forks.
type lineage struct {
	SessionID string            `json:"session_id"`
	Asked     bool              `json:"asked,omitempty"` // it is the one that was asked about
	Missing   bool              `json:"missing,omitempty"`
	Session   *graph.SessionRow `json:"session,omitempty"` // nil where only its forks name it
	Forks     []*lineage        `json:"forks"`
}

func (a *app) forks(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
	rows, err := r.Sessions(ctx, graph.SessionFilter{})
	if err != nil {
		return err
	}
	root := family(rows, s.SessionID)
	if a.json {
		return a.printJSON(root)
	}
	if len(root.Forks) == 0 {
		a.nothing("session %s has no forks, and is none", s.SessionID)
		return nil
	}
	cols := []render.Column{{Title: "SESSION"}, {Title: "", Drop: 6}, {Title: "LEFT AT", Drop: 2}, {Title: "EVENT", Drop: 1, Paint: render.PaintDim},
		{Title: "ACTIONS", Right: true, Drop: 4}, {Title: "STATUS", Paint: render.PaintStatus, Drop: 5}, {Title: "TITLE", Give: 12, Drop: 3}}
	cells, depths := a.lineageCells(root, 0, shortByID(rows))
	return a.style.Forest(a.out, cols, cells, depths)
}

// shortByID are the short ids of sessions, by the whole ones.
func shortByID(rows []graph.SessionRow) map[string]string {
	names := map[string]string{}
	for i, short := range shortIDs(sessionIDs(rows)) {
		names[rows[i].SessionID] = short
	}
	return names
}

// family is the tree that a session is in, from its oldest ancestor on.
func family(rows []graph.SessionRow, id string) *lineage {
	byID := map[string]*lineage{}
	var ids []string
	known := func(id string) *lineage {
		if byID[id] == nil {
			byID[id] = &lineage{SessionID: id, Missing: true, Forks: []*lineage{}}
			ids = append(ids, id)
		}
		return byID[id]
	}
	for i := range rows {
		n := known(rows[i].SessionID)
		n.Session, n.Missing = &rows[i], false
		if rows[i].ForkedFrom != "" {
			known(rows[i].ForkedFrom)
		}
	}
	parent := func(n *lineage) *lineage {
		if n.Session == nil {
			return nil
		}
		return byID[n.Session.ForkedFrom]
	}
	root := known(id)
	root.Asked = true
	for seen := map[*lineage]bool{root: true}; ; seen[root] = true { // what says that it is in a circle is cut there
		if p := parent(root); p == nil || seen[p] {
			break
		} else {
			root = p
		}
	}
	for _, id := range ids {
		if n := byID[id]; n != root && parent(n) != nil {
			p := parent(n)
			p.Forks = append(p.Forks, n)
		}
	}
	for _, n := range byID {
		slices.SortFunc(n.Forks, func(x, y *lineage) int {
			return cmp.Or(x.Session.ForkedAtTime.Compare(y.Session.ForkedAtTime), x.Session.StartedAt.Compare(y.Session.StartedAt),
				cmp.Compare(x.SessionID, y.SessionID))
		})
	}
	return root
}

// lineageCells are the lines of a tree, and how deep each is.
func (a *app) lineageCells(n *lineage, depth int, short map[string]string) (cells [][]string, depths []int) {
	line := []string{cmp.Or(short[n.SessionID], n.SessionID), "", "", "", "", "not here", ""}
	if n.Asked {
		line[1] = "*"
	}
	if row := n.Session; row != nil {
		copy(line[2:], []string{render.Time(row.ForkedAtTime), row.ForkedAt[:min(8, len(row.ForkedAt))], render.Count(row.ActionCount), row.Status,
			cmp.Or(title(*row), row.ForkLabel)})
	}
	cells, depths = append(cells, line), append(depths, depth)
	for _, fork := range n.Forks {
		its, deep := a.lineageCells(fork, depth+1, short)
		cells, depths = append(cells, its...), append(depths, deep...)
	}
	return cells, depths
}

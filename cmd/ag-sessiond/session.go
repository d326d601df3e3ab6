package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/nearest"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

// session finds the one session that arg names: an id, a unique prefix of one, or
// "latest". A session wins over its own parts (graph.ContinuationID), of whose ids its
// own is the beginning. begin is what to do where there is none at all.
func session(ctx context.Context, r connector.Reader, arg, begin string) (graph.SessionRow, error) {
	if arg == "latest" {
		rows, err := r.Sessions(ctx, graph.SessionFilter{Limit: 1})
		if err != nil || len(rows) == 1 {
			return first(rows), err
		}
		return graph.SessionRow{}, errcode.With(errcode.SessionNotFound, fmt.Errorf("there is no session yet: %s", begin))
	}
	if arg == "" {
		return graph.SessionRow{}, usagef("a session's id is empty: give an id, a prefix of one, or latest")
	}
	rows, err := named(ctx, r, arg)
	if err != nil {
		return graph.SessionRow{}, err
	}
	if i := slices.IndexFunc(rows, func(s graph.SessionRow) bool { return s.SessionID == arg }); i >= 0 {
		return rows[i], nil
	}
	if i := slices.IndexFunc(rows, func(s graph.SessionRow) bool { return !strings.Contains(s.SessionID, "~") }); i >= 0 &&
		!slices.ContainsFunc(rows, func(s graph.SessionRow) bool { return base(s.SessionID) != rows[i].SessionID }) {
		return rows[i], nil
	}
	switch len(rows) {
	case 0:
		if safe := schema.SafeID(arg); safe != arg && !strings.Contains(arg, "~") { // an id as its agent wrote it
			return session(ctx, r, safe, begin)
		}
		return graph.SessionRow{}, noSession(ctx, r, arg, begin)
	case 1:
		return rows[0], nil
	}
	return graph.SessionRow{}, errcode.With(errcode.SessionAmbiguous, fmt.Errorf("%q is the beginning of %s: give more of it\n%s",
		arg, render.Plural(int64(len(rows)), "session id"), candidates(rows, 10)))
}

// named returns the sessions that arg is the beginning of. Of a part it may be the
// beginning of both halves, as tables print it: 117f6eaf~c64aaba8.
func named(ctx context.Context, r connector.Reader, arg string) ([]graph.SessionRow, error) {
	rows, err := r.Sessions(ctx, graph.SessionFilter{IDPrefix: arg, Limit: 50})
	before, part, isPart := strings.Cut(arg, "~")
	if err != nil || len(rows) > 0 || !isPart || before == "" {
		return rows, err
	}
	if rows, err = r.Sessions(ctx, graph.SessionFilter{IDPrefix: before}); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(s graph.SessionRow) bool {
		_, its, ok := strings.Cut(s.SessionID, "~")
		return !ok || !strings.HasPrefix(its, part)
	}), nil
}

// base is the session that an id is, or is a part of.
func base(id string) string {
	before, _, _ := strings.Cut(id, "~")
	return before
}

func first(rows []graph.SessionRow) graph.SessionRow {
	if len(rows) == 0 {
		return graph.SessionRow{}
	}
	return rows[0]
}

// noSession says that arg names nothing, and what it may have meant.
func noSession(ctx context.Context, r connector.Reader, arg, begin string) error {
	rows, err := r.Sessions(ctx, graph.SessionFilter{Limit: 1000})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q: there is none yet; %s", arg, begin))
	}
	type near struct {
		row  graph.SessionRow
		dist int
	}
	var found []near
	for _, row := range rows {
		id := row.SessionID
		dist := nearest.Distance(arg, id[:min(len(id), len(arg))])
		if strings.Contains(strings.ToLower(row.Title+"\n"+row.FirstPrompt), strings.ToLower(arg)) {
			dist = 0
		}
		if dist <= max(1, len(arg)/3) {
			found = append(found, near{row, dist})
		}
	}
	if len(found) == 0 {
		return errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q; the newest are\n%s", arg, candidates(rows[:min(3, len(rows))], 3)))
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Compare(a.dist, b.dist) })
	var nearest []graph.SessionRow
	for _, n := range found[:min(3, len(found))] {
		nearest = append(nearest, n.row)
	}
	return errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q; the nearest are\n%s", arg, candidates(nearest, 3)))
}

// candidates lists sessions for an error message.
func candidates(rows []graph.SessionRow, limit int) string {
	var lines []string
	for _, r := range rows[:min(limit, len(rows))] {
		line := fmt.Sprintf("  %s  %s  %s", r.SessionID, render.Time(r.StartedAt), render.Style{UTF8: true}.Truncate(title(r), 50))
		lines = append(lines, strings.TrimRight(line, " "))
	}
	if len(rows) > limit {
		lines = append(lines, fmt.Sprintf("  and %d more", len(rows)-limit))
	}
	return strings.Join(lines, "\n")
}

func title(r graph.SessionRow) string {
	if t := render.FirstLine(r.Title); t != "" {
		return t
	}
	return render.FirstLine(r.FirstPrompt)
}

// shortIDs gives each session the shortest beginning of its id, of at least eight
// characters, that no other of the ids has. Of a part it is that of its session, and
// what tells the parts apart.
func shortIDs(ids []string) []string {
	length := map[string]int{} // of a session's id, what is shown
	for _, id := range ids {
		length[base(id)] = 0
	}
	for n, left := 8, len(length); left > 0; n++ {
		seen := make(map[string]int, len(length))
		for b := range length {
			seen[b[:min(n, len(b))]]++
		}
		for b, done := range length {
			if short := b[:min(n, len(b))]; done == 0 && (seen[short] == 1 || short == b) {
				length[b] = n
				left--
			}
		}
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		b := base(id)
		out[i] = b[:min(length[b], len(b))] + id[len(b):]
	}
	return out
}

func sessionIDs(rows []graph.SessionRow) []string {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.SessionID
	}
	return ids
}

// completeSession offers session ids to a shell: from the store as it is, without
// catching up, for a key press must not wait.
func (a *app) completeSession(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	patience := time.Second
	if len(a.graphs) > 0 {
		patience = answerPatience // it has to connect first
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), patience)
	defer cancel()
	if err := a.enterEvents(cmd); err == nil && a.events != "" {
		return a.completeStored(ctx, prefix), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
	var out []string
	_ = a.peek(ctx, func(r connector.Reader) error {
		rows, err := r.Sessions(ctx, graph.SessionFilter{IDPrefix: prefix, Limit: 30})
		for _, row := range rows {
			out = append(out, row.SessionID+"\t"+title(row))
		}
		return err
	})
	if strings.HasPrefix("latest", prefix) {
		out = append(out, "latest\tthe newest session")
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// oneSession completes the first argument only.
func (a *app) oneSession(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeSession(cmd, args, prefix)
}

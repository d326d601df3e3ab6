package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/settings"
)

// forgetReport is what forget and prune say as JSON.
type forgetReport struct {
	DryRun bool                    `json:"dry_run"`
	Found  actiongraph.Forgettable `json:"found"`
	// Forgotten is how many of them are forgotten now.
	Forgotten int `json:"forgotten"`
	// Pending is how many forgotten sessions stores still have to drop, by the store.
	Pending map[string]int `json:"pending"`
	// Left are the files that say something of the sessions and are not actiongraph's to remove.
	Left []string `json:"left"`
}

// forget does it: first the home, then the graphs, which no daemon does for us.
func (f *forgetting) forget(ctx context.Context, h *actiongraph.Home, j *journal.Journal, report *forgetReport) error {
	c, badConfig := f.config() // then only the home is done
	var names []string
	for _, g := range c.Graph {
		names = append(names, g.Name)
	}
	done, err := h.Forget(ctx, report.Found, f.why, names...)
	if errors.Is(err, connector.ErrLocked) {
		err = unavailable(fmt.Errorf("nothing is forgotten: another process packs, scrubs or forgets sessions; try again when it is done: %w", err))
	}
	report.Forgotten, report.Pending = done.Sessions, done.Pending
	if err != nil {
		return err
	}
	_, daemon, err := connector.Held(j.Home(), connector.RunLock)
	for _, g := range c.Graph {
		if daemon || err != nil || ctx.Err() != nil || report.Pending[g.Name] == 0 {
			continue
		}
		if _, err := f.syncGraph(ctx, j, g); err != nil {
			f.note("%s: %v", g.Name, err)
		}
	}
	report.Pending, err = h.PendingForgets(names...)
	return errors.Join(err, badConfig)
}

// listed is how many sessions a question lists.
const listed = 20

// list says what was found.
func (f *forgetting) list(found actiongraph.Forgettable) {
	if len(found.Sessions) == 0 {
		if found.Kept > 0 {
			f.note("no session is to be forgotten: %s kept by tags", render.Plural(int64(found.Kept), "session"))
		} else {
			f.note("no session is to be forgotten: none is like that")
		}
		return
	}
	cols := []render.Column{{Title: "SESSION"}, {Title: "FIRST", Drop: 2}, {Title: "LAST", Drop: 4}, {Title: "EVENTS", Right: true}, {Title: "SIZE", Right: true, Drop: 1},
		{Title: "TAGS", Give: 8, Drop: 3}, {Title: "FOLDER", Give: 16, Left: true, Drop: 5}, {Title: "", Drop: 6}}
	ids := make([]string, len(found.Sessions))
	for i, s := range found.Sessions {
		ids[i] = s.SessionID
	}
	var cells [][]string
	for i, id := range shortIDs(ids) {
		s := found.Sessions[i]
		if i == listed && !f.dryRun {
			break
		}
		running := ""
		if s.Running {
			running = "may still run"
		}
		cells = append(cells, []string{id, render.Minute(s.FirstAt), render.Minute(s.LastAt), render.Count(s.Events), render.Bytes(s.Bytes),
			strings.Join(s.Tags, ", "), homeRelative(strings.Join(s.Dirs, ", ")), running})
	}
	_ = f.style.Table(f.out, cols, cells)
	if more := len(found.Sessions) - len(cells); more > 0 {
		f.printf("and %s\n", render.Plural(int64(more), "more session"))
	}
	if found.Kept > 0 {
		f.printf("%s kept by tags\n", render.Plural(int64(found.Kept), "session"))
	}
	if n := len(found.Forks); n > 0 {
		f.printf("%s what %s with these for %s own; --with-forks forgets that, too:\n", map[bool]string{true: "1 fork keeps", false: render.Count(int64(n)) + " forks keep"}[n == 1],
			map[bool]string{true: "it shares", false: "they share"}[n == 1], map[bool]string{true: "its", false: "their"}[n == 1])
		for i, fork := range found.Forks {
			if i == listed {
				f.printf("  and %s: --json has them all\n", render.Plural(int64(n-i), "more fork"))
				break
			}
			f.printf("  %s  of %s\n", fork.SessionID, fork.ForkedFrom)
		}
	}
}

func (f *forgetting) amount(found actiongraph.Forgettable) string {
	return render.Plural(int64(len(found.Sessions)), "session") + ", " + render.Plural(found.Events(), "event") + ", " +
		render.Bytes(found.Bytes()) + " of journal"
}

func (f *forgetting) question(found actiongraph.Forgettable) string {
	return "Forget " + f.amount(found) + ", for good?"
}

// end says what was done, and what is not ours to do.
func (f *forgetting) end(j *journal.Journal, report forgetReport) error {
	if len(report.Found.Sessions) > 0 || f.filter.Project != "" {
		report.Left = f.left(j, report.Found)
	}
	if f.json {
		return f.printJSON(report)
	}
	switch n := len(report.Found.Sessions); {
	case n == 0:
	case f.dryRun:
		f.printf("%s would be forgotten\n", f.amount(report.Found))
	case report.Forgotten > 0:
		f.printf("forgotten: %s\n", f.amount(report.Found))
	}
	for _, store := range slices.Sorted(maps.Keys(report.Pending)) {
		f.note("pending: %s has %s to drop yet; whoever catches it up next, a daemon or sync, does it", store,
			render.Plural(int64(report.Pending[store]), "session"))
	}
	if len(report.Found.Beside) > 0 {
		f.printf("not taken: %s ran elsewhere and %s something there; to forget one: ag-sessiond forget session ID\n",
			render.Plural(int64(len(report.Found.Beside)), "session"), map[bool]string{true: "names", false: "name"}[len(report.Found.Beside) == 1])
		for _, b := range report.Found.Beside[:min(len(report.Found.Beside), listed)] {
			f.printf("  %s  %s\n", b.SessionID, render.Plural(b.Lines, "line"))
		}
	}
	if len(report.Found.Sessions) == 0 && len(report.Left) == 0 {
		return nil
	}
	if len(report.Left) > 0 {
		f.printf("not ours, and left; remove them yourself:\n")
		for i, path := range report.Left {
			if i == listed {
				f.printf("  and %s: --json has them all\n", render.Plural(int64(len(report.Left)-i), "more file"))
				break
			}
			f.printf("  %s\n", render.OneLine(path))
		}
	}
	f.printf("exports made elsewhere, backups and logs of a graph's server are out of reach\n")
	return nil
}

// left are the files of others that say something of sessions: Claude Code's transcripts, the
// settings that install put into the project, and our configuration where it names the project.
func (f *forgetting) left(j *journal.Journal, found actiongraph.Forgettable) []string {
	paths := []string{}
	for _, dir := range actiongraph.TranscriptFolders() {
		paths = append(paths, transcriptsOf(dir, found)...)
	}
	if f.filter.Project == "" {
		return paths
	}
	dir, err := filepath.Abs(f.filter.Project)
	if err != nil {
		return paths
	}
	project, names, err := config.Folder(dir)
	if err != nil {
		return paths
	}
	for _, path := range settings.Kept(filepath.Join(j.Home(), keptDir)).Paths() {
		if project.Project(path) != 0 {
			paths = append(paths, path+" (ag-sessiond uninstall --project, there, takes our hooks out)")
		}
	}
	text, _ := os.ReadFile(filepath.Join(j.Home(), config.FileName))
	if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(string(text), name) }) {
		paths = append(paths, filepath.Join(j.Home(), config.FileName)+" (names the project)")
	}
	return paths
}

// transcriptsOf are the files and folders in Claude Code's projects that are named after sessions.
func transcriptsOf(dir string, found actiongraph.Forgettable) (paths []string) {
	projects, _ := os.ReadDir(dir)
	ids := map[string]bool{}
	for _, s := range found.Sessions {
		ids[s.SessionID] = true
	}
	for _, p := range projects {
		entries, _ := os.ReadDir(filepath.Join(dir, p.Name()))
		for _, e := range entries {
			if ids[strings.TrimSuffix(e.Name(), ".jsonl")] {
				paths = append(paths, filepath.Join(dir, p.Name(), e.Name()))
			}
		}
	}
	return paths
}

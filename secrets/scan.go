package secrets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Finding is one secret, in one field of one session. It never holds the secret.
type Finding struct {
	Rule        string `json:"rule"`              // gitleaks' name, or redact's
	Where       string `json:"where"`             // "journal", the name of a store, or a file of the home
	Session     string `json:"session,omitempty"` // "" of what belongs to none
	Field       string `json:"field,omitempty"`   // tool_input.command; of a store, Label.property
	Event       string `json:"event_id,omitempty"`
	Line        int    `json:"line,omitempty"` // of a file that is no journal
	Count       int    `json:"count"`
	Fingerprint string `json:"fingerprint"` // for [secrets] allow; the same for one secret everywhere in a home
}

// Report is what a scan found.
type Report struct {
	Findings []Finding `json:"findings"`
	// Apart is what was found in files of the user's own that are kept in the home: scrub leaves
	// them alone.
	Apart []Finding `json:"apart"`
	// Unread names what could not be looked at, and why. With one, a scan is not whole.
	Unread   []string      `json:"unread"`
	Bytes    int64         `json:"bytes"` // that were looked at
	Sessions int           `json:"sessions"`
	Duration time.Duration `json:"duration_ns"`
}

// Store is a store that can be looked at: all of connector's can.
type Store interface {
	Sessions(ctx context.Context, f graph.SessionFilter) ([]graph.SessionRow, error)
	connector.Streamer
}

// Scanner looks for secrets in all of a home.
type Scanner struct {
	Journal *journal.Journal
	Rules   *Rules
	// Stores are looked at by their name; one that cannot be reached is an entry of Report.Unread.
	Stores map[string]Store
	// Files are files of stores whose raw bytes are looked at, too: what was deleted in them may
	// not have been overwritten.
	Files []string
	// Progress, which may be nil, is called now and then, by one goroutine at a time.
	Progress func(done, total int64)
}

// Scan looks everywhere, and does not stop where something cannot be read.
func (s *Scanner) Scan(ctx context.Context) (Report, error) {
	start := time.Now()
	c := collector{found: map[Finding]int{}, progress: s.Progress}
	sessions, old, err := s.journalFiles()
	if err != nil {
		return Report{}, err
	}
	others := homeFiles(s.Journal.Home())
	for _, f := range slices.Concat(old, others, s.Files) {
		if info, err := os.Stat(f); err == nil {
			c.total += info.Size()
		}
	}
	var turns sync.WaitGroup
	work := make(chan func())
	for range runtime.GOMAXPROCS(0) {
		turns.Go(func() {
			for f := range work {
				f()
			}
		})
	}
	do := func(f func()) {
		if ctx.Err() == nil {
			work <- f
		}
	}
	c.sessions = len(sessions)
	for _, session := range sessions {
		if f, err := s.Journal.Stat(session); err == nil {
			c.total += f.Size
		}
		do(func() { c.unread(session, s.session(ctx, &c, session)) })
	}
	for _, path := range old {
		do(func() {
			session, _, _ := strings.Cut(filepath.Base(path), ".")
			c.unread(path, eachLine(ctx, path, s.record(&c, session)))
		})
	}
	for _, path := range others {
		do(func() { c.unread(path, s.textFile(ctx, &c, path)) })
	}
	for name, store := range s.Stores {
		do(func() { c.unread(name, s.store(ctx, &c, name, store)) })
	}
	for _, path := range s.Files {
		do(func() { c.unread(path, s.rawFile(ctx, &c, path)) })
	}
	close(work)
	turns.Wait()
	report := c.report()
	report.Duration = time.Since(start)
	return report, ctx.Err()
}

// journalFiles lists the sessions of which something is in the folder of the journal, those of
// positions included, and the files that a Rewrite left there that was killed. What a packing
// left is a copy.
func (s *Scanner) journalFiles() (sessions, old []string, err error) {
	dir := journal.Dir(s.Journal.Home())
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		session, rest, _ := strings.Cut(e.Name(), ".")
		switch {
		case e.IsDir() || !schema.ValidID(session):
		case rest == "jsonl.new" || rest == "jsonl.old":
			old = append(old, filepath.Join(dir, e.Name()))
		case len(sessions) == 0 || sessions[len(sessions)-1] != session: // they are sorted
			sessions = append(sessions, session)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return sessions, old, err
}

// session looks at each line of a session, packed or not, torn ones too.
func (s *Scanner) session(ctx context.Context, c *collector, session string) error {
	content, err := s.Journal.Content(session)
	if err != nil {
		return err
	}
	defer content.Close()
	return linesOf(ctx, io.NewSectionReader(content, 0, content.Size()), s.record(c, session))
}

func (s *Scanner) record(c *collector, session string) func(int, []byte) {
	return func(_ int, line []byte) {
		s.Rules.record(line, func(event, field string, h hit) {
			c.add(Finding{Rule: h.rule, Where: inTheJournal, Session: session, Field: field, Event: event, Fingerprint: h.fingerprint})
		})
		c.done(int64(len(line)) + 1)
	}
}

// textFile looks at each line of another file of the home.
func (s *Scanner) textFile(ctx context.Context, c *collector, path string) error {
	name, _ := filepath.Rel(s.Journal.Home(), path)
	return eachLine(ctx, path, func(n int, line []byte) {
		s.Rules.text("", string(line), func(field string, h hit) {
			c.add(Finding{Rule: h.rule, Where: name, Field: field, Line: n, Fingerprint: h.fingerprint})
		})
		c.done(int64(len(line)) + 1)
	})
}

// store looks at every text of every session that a store holds.
func (s *Scanner) store(ctx context.Context, c *collector, name string, store Store) error {
	sessions, err := store.Sessions(ctx, graph.SessionFilter{})
	if err != nil {
		return err
	}
	for _, row := range sessions {
		var here []Finding
		look := func(label graph.Label, prop string, v any) {
			text, ok := v.(string)
			if !ok || isID(prop) {
				return
			}
			s.Rules.text(prop, text, func(_ string, h hit) {
				here = append(here, Finding{Rule: h.rule, Where: name, Session: row.SessionID, Field: string(label) + "." + prop, Fingerprint: h.fingerprint})
			})
		}
		err = store.Stream(ctx, row.SessionID, func() func(*graph.Op) error {
			here = nil
			return func(op *graph.Op) error {
				if op.Kind != graph.PutNode {
					return ctx.Err()
				}
				if op.Node.Label == graph.LabelTool || op.Node.Label == graph.LabelTag {
					look(op.Node.Label, "name", op.Node.Key)
				}
				for _, p := range op.Node.Props {
					look(op.Node.Label, p.Name, p.Value)
				}
				return ctx.Err()
			}
		})
		if err != nil {
			return fmt.Errorf("session %s: %w", row.SessionID, err)
		}
		for _, f := range here {
			c.add(f)
		}
	}
	return nil
}

// homeFiles are the files of a home beside the journal that hold texts. Those with secrets of
// our own, which are meant to be there, are not looked at.
func homeFiles(home string) (paths []string) {
	for _, pattern := range []string{
		"hook.log", "hook.log.*", "ag-sessiond.log", "ag-sessiond*.log*", "status.json", "transcripts.index",
		"config.toml", "policy", "policy.said", "installed/*", "forgotten/*",
	} {
		// Of a file system, for the home's own name may have characters of a pattern. The one error
		// is a bad pattern.
		found, _ := fs.Glob(os.DirFS(home), pattern)
		for _, name := range found {
			path := filepath.Join(home, filepath.FromSlash(name))
			if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// ownFile reports whether a file of the home is the user's: a copy of their settings, or what
// they configured.
func ownFile(name string) bool {
	return strings.HasPrefix(name, "installed") || slices.Contains([]string{"config.toml", "policy"}, name)
}

// eachLine calls fn with each line of a file, from 1, without its newline; the last may have
// none.
func eachLine(ctx context.Context, path string, fn func(n int, line []byte)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return linesOf(ctx, f, fn)
}

func linesOf(ctx context.Context, from io.Reader, fn func(n int, line []byte)) error {
	r := bufio.NewReaderSize(from, 256<<10)
	for n := 1; ctx.Err() == nil; n++ {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			fn(n, trimNewline(line))
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func trimNewline(line []byte) []byte {
	if n := len(line); line[n-1] == '\n' {
		return line[: n-1 : n-1]
	}
	return line
}

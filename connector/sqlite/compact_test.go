package sqlite_test

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/connector/storetest"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// secret is a session whose every text has a word of its own, which is nowhere else.
type secret struct {
	session string
	pos     schema.Position
	words   []string
	n       int
}

// word makes up a word. FTS5 keeps of one what differs from the word before it in its index,
// which of 26 random letters are at least the last 16.
func (s *secret) word() string {
	w := make([]byte, 26)
	for i := range w {
		w[i] = byte('a' + rand.IntN(26))
	}
	s.words = append(s.words, string(w[10:]))
	return string(w)
}

// batch makes the next batch, of a few actions, the last of which changes the texts of one
// that is there already: what it said before is only in old bytes.
func (s *secret) batch() graph.Batch {
	self := graph.Ref{Label: graph.LabelSession, Key: s.session}
	put := func(r graph.Ref, t graph.ActionType, props ...string) graph.Op {
		op := graph.Op{Kind: graph.PutNode, Node: graph.Node{Ref: r, Type: t}}
		for _, name := range props {
			value := s.word()
			if name == "text" { // too long for its page
				value = strings.Repeat("filler of a page ", 500) + value
			}
			op.Node.Props = append(op.Node.Props, graph.Prop{Name: name, Value: value})
		}
		return op
	}
	ops := []graph.Op{put(self, "", "title", "first_prompt", "working_directory", "git_branch", "metadata", "nonesuch")}
	edge := func(t graph.EdgeType, from, to graph.Ref) {
		ops = append(ops, graph.Op{Kind: graph.PutEdge, Edge: graph.Edge{EdgeKey: graph.EdgeKey{Type: t, From: from, To: to},
			Props: []graph.Prop{{Name: "why", Value: s.word()}}}})
	}
	for range 2 {
		s.n++
		action := graph.Ref{Label: graph.LabelAction, Key: schema.NewID(s.session, fmt.Sprint(s.n))}
		ops = append(ops, put(action, graph.ToolCall, "tool_name", "command", "text", "properties", "error_message", "nonesuch", "prompt_id"))
		edge(graph.HasAction, self, action)
		tool := graph.Ref{Label: graph.LabelTool, Key: s.word()}
		tag := graph.Ref{Label: graph.LabelTag, Key: s.word()}
		file := graph.Ref{Label: graph.LabelFile, Key: graph.FileKey("h", fmt.Sprint(s.session, s.n))}
		agent := graph.Ref{Label: graph.LabelAgent, Key: graph.AgentKey(s.session, fmt.Sprint(s.n))}
		ops = append(ops, put(tool, "", "mcp_server"), put(tag, ""), put(file, "", "path"), put(agent, "", "prompt", "agent_type"))
		edge(graph.UsedTool, action, tool)
		edge(graph.HasTag, action, tag)
		edge(graph.Wrote, action, file)
		edge(graph.HasAgent, self, agent)
	}
	if s.n > 2 {
		old := graph.Ref{Label: graph.LabelAction, Key: schema.NewID(s.session, fmt.Sprint(s.n-2))}
		ops = append(ops, put(old, graph.ToolCall, "text", "command"))
	}
	from := s.pos
	s.pos = schema.Position{Offset: s.pos.Offset + 1000, Sum: rand.Uint64(), First: 1}
	return graph.Batch{Journal: "j", Session: s.session, From: from, To: s.pos, Ops: graph.Coalesce(ops)}
}

func (s *secret) forgotten() graph.Batch {
	return graph.Batch{Journal: "j", Session: s.session, From: s.pos, Reset: true, Forget: true}
}

// left returns how many of the words, and of the keys, are in the bytes of a store.
func (s *secret) left(t *testing.T, path string) (n int) {
	t.Helper()
	var bytesOf [][]byte
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		bytesOf = append(bytesOf, b)
	}
	for _, w := range append(s.words, s.session) {
		for _, b := range bytesOf {
			n += bytes.Count(b, []byte(w))
		}
	}
	return n
}

// add applies batches of a secret session among those of a feed.
func add(t *testing.T, s *sqlite.Store, f *feed, secrets ...*secret) {
	t.Helper()
	for range 4 {
		for _, sec := range secrets {
			if err := s.Apply(ctx, append(f.take(25), sec.batch())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func apply(t *testing.T, s *sqlite.Store, batches ...graph.Batch) {
	t.Helper()
	if err := s.Apply(ctx, batches); err != nil {
		t.Fatal(err)
	}
}

// TestCompact: of what was forgotten no byte is left, whatever was done to it before, and
// what was not is all there. Others read beside it.
func TestCompact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	f, kept, gone := newFeed(5), &secret{session: "kept-session"}, &secret{session: "gone-session"}
	add(t, s, f, kept, gone)
	if err := s.Maintain(ctx); err != nil { // some of it is in the file, and merged
		t.Fatal(err)
	}
	add(t, s, f, kept, gone)
	again := gone.batch()
	again.Reset = true
	apply(t, s, again)
	before := kept.left(t, path)
	if n := gone.left(t, path); n < len(gone.words) {
		t.Fatalf("only %d of %d words are to be found: this test proves nothing", n, len(gone.words))
	}
	if err := s.Compact(ctx); err != nil || kept.left(t, path) != before {
		t.Fatalf("compacted though nothing was forgotten: %v", err)
	}
	apply(t, s, gone.forgotten())
	if gone.left(t, path) == 0 {
		t.Fatal("nothing is left for Compact: this test proves nothing")
	}
	reader := open(t, path, sqlite.Options{ReadOnly: true})
	reading := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				reading <- nil
				return
			default:
			}
			if rows, err := reader.Sessions(ctx, graph.SessionFilter{}); err != nil || len(rows) != 6 {
				reading <- fmt.Errorf("%d sessions, %w", len(rows), err)
				return
			}
		}
	}()
	err := s.Compact(ctx)
	close(stop)
	if e := <-reading; err != nil || e != nil {
		t.Fatalf("compact: %v, beside it: %v", err, e)
	}
	if n := gone.left(t, path); n > 0 {
		t.Errorf("%d words are left", n)
	}
	if n := kept.left(t, path); n == 0 {
		t.Error("nothing is left of the other session")
	}
	done, _ := os.Stat(path)
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.Stat(path); !again.ModTime().Equal(done.ModTime()) {
		t.Error("compacted again though nothing was forgotten since")
	}
	m := storetest.NewMemory()
	replay(t, m, path, newFeed(5), &secret{session: "kept-session"})
	add(t, s, f, kept) // and it goes on
	if hits, err := s.Search(ctx, graph.SearchQuery{Words: kept.words[0]}); err != nil || len(hits) > 0 {
		t.Errorf("%d hits for the end of a word, %v", len(hits), err)
	}
	checkIntegrity(t, path)
}

// replay compares what a store holds of a feed's sessions with the reference.
func replay(t *testing.T, m *storetest.Memory, path string, f *feed, other *secret) {
	t.Helper()
	s := open(t, path, sqlite.Options{ReadOnly: true})
	at, err := s.Positions(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := at[other.session]; !ok {
		t.Errorf("the position of %s is gone", other.session)
	}
	for at[f.sessions[0].id] != f.sessions[0].pos {
		if err := m.Apply(ctx, f.take(25)); err != nil {
			t.Fatal(err)
		}
	}
	for _, session := range f.sessions {
		want, _ := m.Load(ctx, session.id)
		got, err := s.Load(ctx, session.id)
		if d := storetest.Diff(want, got); d != "" || err != nil {
			t.Fatalf("session %s: %v\n%s", session.id, err, d)
		}
	}
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity: %s, %v", answer, err)
	}
	if _, err := db.Exec("INSERT INTO fts (fts, rank) VALUES ('integrity-check', 0)"); err != nil {
		t.Errorf("the index: %v", err)
	}
}

const compactEnv = "AG_TEST_SQLITE_COMPACT"

// compactForever forgets what there is to forget, and compacts, again and again.
func compactForever(path string) error {
	s, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		gone := &secret{session: fmt.Sprintf("gone-%d-%d", os.Getpid(), n)}
		if err := s.Apply(ctx, []graph.Batch{gone.batch()}); err != nil {
			return err
		}
		fmt.Println(strings.Join(append(gone.words, gone.session), " "))
		if err := s.Apply(ctx, []graph.Batch{gone.forgotten()}); err != nil {
			return err
		}
		if err := s.Compact(ctx); err != nil {
			return err
		}
	}
}

// TestCompactKilled kills who compacts, again and again: the store is whole, and once the
// next one has compacted it, what was forgotten is gone, whoever forgot it.
func TestCompactKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "graph.db")
	s := open(t, path, sqlite.Options{})
	add(t, s, newFeed(5), &secret{session: "kept"})
	s.Close()
	all := &secret{session: "gone"}
	for range 10 {
		all.words = append(all.words, killCompacting(t, path)...)
		checkIntegrity(t, path)
	}
	s = open(t, path, sqlite.Options{})
	at, err := s.Positions(ctx, "j")
	if err != nil {
		t.Fatal(err)
	}
	for session, pos := range at {
		if strings.HasPrefix(session, "gone-") { // killed before it was forgotten
			apply(t, s, (&secret{session: session, pos: pos}).forgotten())
		}
	}
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if n := all.left(t, path); n > 0 {
		t.Errorf("%d words are left", n)
	}
	replay(t, storetest.NewMemory(), path, newFeed(5), &secret{session: "kept"})
}

// killCompacting runs compactForever for a while and returns the words that it wrote.
func killCompacting(t *testing.T, path string) (words []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), compactEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for n := 1 + rand.IntN(3); n > 0 && lines.Scan(); n-- {
		if strings.HasPrefix(lines.Text(), "error:") {
			t.Fatal(lines.Text())
		}
		words = append(words, strings.Fields(lines.Text())...)
	}
	time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond) // into the compaction
	cmd.Process.Kill()
	for lines.Scan() { // what it wrote before it died
		words = append(words, strings.Fields(lines.Text())...)
	}
	cmd.Wait()
	return words
}

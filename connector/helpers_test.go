package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

func TestMain(m *testing.M) {
	switch os.Getenv("AG_TEST_CHILD") {
	case "lock":
		holdLock()
	case "follow":
		followUntilKilled()
	}
	goleak.VerifyTestMain(m)
}

func newJournal(t testing.TB) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 7))
}

func file(j *journal.Journal, session string) string {
	return filepath.Join(j.Home(), "journal", session+".jsonl")
}

// record appends raw records in the journal's framing, one write each.
func record(t testing.TB, j *journal.Journal, session string, lines ...[]byte) {
	t.Helper()
	f, err := os.OpenFile(file(j, session), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, line := range lines {
		if _, err := fmt.Fprintf(f, "\n%s\n", line); err != nil {
			t.Fatal(err)
		}
	}
}

// agent makes up what one session's runtime sends.
type agent struct {
	rnd     *rand.Rand
	session string
	n       int
	now     time.Time
	open    []string // calls without a result
}

func newAgent(rnd *rand.Rand, session string) *agent {
	return &agent{rnd: rnd, session: session, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
}

func (a *agent) event(typ schema.Type) schema.Event {
	a.n++
	a.now = a.now.Add(time.Duration(1+a.rnd.IntN(3000)) * time.Millisecond)
	return schema.Event{
		V: schema.Version, EventType: typ, SessionID: a.session, Timestamp: a.now,
		EventID:   schema.EventID(schema.OriginHook, string(typ), a.session, fmt.Sprint(a.n)),
		SourceSDK: "claude-code", Origin: schema.OriginHook,
	}
}

// next returns the line of one more event.
func (a *agent) next() []byte {
	var e schema.Event
	switch k := a.rnd.IntN(10); {
	case a.n == 0:
		e = a.event(schema.SessionStart)
		e.Model, e.WorkingDirectory = "a-model", "/home/me/project"
	case k < 4:
		e = a.event(schema.ToolStart)
		e.ToolName, e.ToolUseID = []string{"Bash", "Read", "Edit"}[a.rnd.IntN(3)], fmt.Sprintf("toolu_%s_%d", a.session, a.n)
		e.ToolInput = json.RawMessage(fmt.Sprintf(`{"command":"make step%d"}`, a.n))
		a.open = append(a.open, e.ToolUseID)
	case k < 8 && len(a.open) > 0:
		e = a.event(schema.ToolEnd)
		i := a.rnd.IntN(len(a.open))
		e.ToolUseID, e.ToolName, e.IsError = a.open[i], "Bash", a.rnd.IntN(5) == 0
		e.Result = json.RawMessage(fmt.Sprintf(`{"stdout":"done %d"}`, a.n))
		a.open = append(a.open[:i], a.open[i+1:]...)
	case k == 8:
		e = a.event(schema.TurnEnd)
	default:
		e = a.event(schema.Message)
		e.Role, e.Content = schema.RoleUser, fmt.Sprintf("do step %d", a.n)
	}
	return e.AppendJSON(nil)
}

func (a *agent) lines(n int) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = a.next()
	}
	return lines
}

// memory is the least store there can be, so that these tests have no store's
// mistakes in them.
type memory struct {
	mu        sync.Mutex
	positions map[string]schema.Position
	graphs    map[string]*graph.Graph
	applies   int
	largest   int // batches in one Apply
}

func newMemory() *memory {
	return &memory{positions: map[string]schema.Position{}, graphs: map[string]*graph.Graph{}}
}

func (m *memory) Positions(context.Context, string) (map[string]schema.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.positions), nil
}

func (m *memory) Apply(ctx context.Context, batches []graph.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range batches {
		if m.positions[b.Session] != b.From {
			return fmt.Errorf("session %s: at %v, expected %v: %w", b.Session, m.positions[b.Session], b.From, graph.ErrConflict)
		}
	}
	m.applies++
	m.largest = max(m.largest, len(batches))
	for _, b := range batches {
		if m.graphs[b.Session] == nil || b.Reset {
			m.graphs[b.Session] = graph.New()
		}
		m.graphs[b.Session].Apply(b.Ops...)
		m.positions[b.Session] = b.To
		if b.Forget {
			delete(m.positions, b.Session)
		}
	}
	return nil
}

func (m *memory) Load(_ context.Context, session string) (*graph.Graph, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	loaded := graph.New()
	if g := m.graphs[session]; g != nil {
		for _, n := range g.Nodes() {
			loaded.Apply(graph.Op{Kind: graph.PutNode, Node: *n})
		}
		for _, e := range g.Edges() {
			loaded.Apply(graph.Op{Kind: graph.PutEdge, Edge: e})
		}
	}
	return loaded, nil
}

func (m *memory) Close() error { return nil }

// faulty is a store that fails when it is told to.
type faulty struct {
	connector.Store
	mu    sync.Mutex
	fault func(apply func() error) error // nil: none
	tries int
}

var errFault = errors.New("the disk is on fire")

func (f *faulty) set(fault func(apply func() error) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *faulty) Apply(ctx context.Context, batches []graph.Batch) error {
	f.mu.Lock()
	f.tries++
	fault := f.fault
	f.mu.Unlock()
	apply := func() error { return f.Store.Apply(ctx, batches) }
	if fault == nil {
		return apply()
	}
	return fault(apply)
}

func (f *faulty) attempts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries
}

// replica is one with waits short enough for tests.
func replica(j *journal.Journal, s connector.Store) *connector.Replica {
	return &connector.Replica{Journal: j, Store: s, Name: "test", Log: zerolog.Nop(),
		MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}
}

func sync1(t testing.TB, r *connector.Replica) connector.Report {
	t.Helper()
	report, err := r.Sync(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// start runs f until the test ends, or until the returned function is called.
func start(t testing.TB, f func(context.Context)) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("does not end with its context")
		}
	})
	t.Cleanup(stop)
	return stop
}

// await waits until the store is where the journal is.
func await(t testing.TB, j *journal.Journal, s connector.Store, limit time.Duration) {
	t.Helper()
	var lag connector.Lag
	var err error
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if lag, err = connector.Behind(t.Context(), j, s); err == nil && lag.Sessions == 0 {
			return
		}
	}
	t.Fatalf("still behind by %+v, %v", lag, err)
}

// equalsFreshFold compares a store with a fold of the journal's files made here,
// without a Replica, a Cursor or Verify.
func equalsFreshFold(t testing.TB, j *journal.Journal, s connector.Store, sessions ...string) {
	t.Helper()
	for _, session := range sessions {
		want := graph.New()
		state := graph.NewSession(session, j.ID())
		for _, line := range readLines(t, j, session) {
			e, err := schema.Decode(line)
			if err == nil && e.SessionID == session && e.V == schema.Version {
				state.Apply(&e)
				want.Apply(state.Take()...)
			}
		}
		got, err := s.Load(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		if len(want.Nodes()) == 0 {
			t.Errorf("session %s: the reducer made nothing of it: this test proves nothing", session)
		}
		for i, c := range graph.Diff(want, got) {
			if t.Errorf("session %s, fresh fold against store: %s", session, c); i == 5 {
				break
			}
		}
	}
}

// discard is a store that costs nothing.
type discard struct{ *memory }

func (d discard) Apply(_ context.Context, batches []graph.Batch) error {
	for _, b := range batches {
		d.positions[b.Session] = b.To
	}
	return nil
}

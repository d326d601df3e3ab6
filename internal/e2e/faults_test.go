package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	actiongraph "github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/neo4jtest"
)

// A word of the statement that writes edges, and one of that which reads what an Apply
// has locked.
const (
	putEdges = "MERGE (a)-[r:"
	claimed  = "s.owner AS owner"
)

// TestCutAtCommit breaks the connection in the two moments in which a writer cannot know
// what became of its transaction.
func TestCutAtCommit(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(map[bool]string{false: "before", true: "after"}[after], func(t *testing.T) {
			d := emptied(t)
			p := neo4jtest.NewProxy(t, d.url)
			store := d.store(t, p.URL)
			m := newMachine(t, store)
			m.work(t, "s", 20)
			m.sync(t)
			before := d.count(t, "MATCH (a:Action) RETURN count(a)")
			m.work(t, "s", 30)
			m.work(t, "other", 10)

			var writing, committing atomic.Bool
			var cuts atomic.Int32
			p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
				switch {
				case piece.ToServer && piece.Has(putEdges):
					writing.Store(true)
					return neo4jtest.Pass
				case piece.ToServer && writing.Load() && piece.Has(neo4jtest.CommitMessage):
					committing.Store(true)
					if after {
						return neo4jtest.Pass
					}
				case piece.ToServer || !committing.Load():
					return neo4jtest.Pass
				}
				cuts.Add(1)
				return neo4jtest.Cut
			})
			_, err := m.replica.Sync(context.Background(), nil)
			if err == nil || cuts.Load() == 0 {
				t.Fatalf("%v after %d cuts: want an error", err, cuts.Load())
			}
			p.Break(nil)
			now := d.count(t, "MATCH (a:Action) RETURN count(a)")
			if committed := now > before; committed != after {
				t.Fatalf("%d actions, then %d: the cut was not where it was to be", before, now)
			}
			m.sync(t)
			m.verify(t, store)
			d.holds(t, folded(t, m.dir))
		})
	}
}

// TestCutAnywhere tears connections at random places, hundreds of times, while events
// come in.
func TestCutAnywhere(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	m := newMachine(t, d.store(t, p.URL))
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	left, cuts := map[int]int{}, 0 // pieces that a connection may still carry
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := left[piece.Conn]; !ok {
			left[piece.Conn] = 1 + r.IntN(120) // an Apply is about 35, the first questions are 10
		}
		if left[piece.Conn]--; left[piece.Conn] > 0 {
			return neo4jtest.Pass
		}
		cuts++
		return []neo4jtest.Fate{neo4jtest.Cut, neo4jtest.Tear}[r.IntN(2)]
	})
	so := func() int {
		mu.Lock()
		defer mu.Unlock()
		return cuts
	}
	stop := m.start(t)
	for n, want := 0, tenth(1000); so() < want; n++ {
		was, applied := so(), m.replica.Health().AppliedAt
		m.work(t, "s"+string(rune('0'+n%3)), 1)
		eventually(t, func() error {
			if so() == was && m.replica.Health().AppliedAt.Equal(applied) {
				return errors.New("nothing happened")
			}
			return nil
		})
	}
	t.Logf("%d cuts, %d records", so(), m.step)
	if m.replica.Health().LastError == "" {
		t.Error("no cut was noticed: nothing was tested")
	}
	p.Break(nil)
	direct := d.store(t, "")
	m.await(t, direct)
	stop()
	m.verify(t, direct)
	d.holds(t, folded(t, m.dir))
}

// TestHang: a server that stops to answer, whatever it was asked, ends in ApplyTimeout
// or AnswerTimeout, and the rest is as after any other failure.
func TestHang(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	store := d.store(t, p.URL)
	m := newMachine(t, store)
	m.work(t, "s", 5)
	m.sync(t)
	m.replica.ApplyTimeout, m.replica.AnswerTimeout = 400*time.Millisecond, 400*time.Millisecond
	in := map[string]int{}
	for at := range 12 {
		m.work(t, "s", 1)
		var answers atomic.Int32
		p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
			if piece.ToServer || int(answers.Add(1)) <= 3*at {
				return neo4jtest.Pass
			}
			return neo4jtest.Hold
		})
		began := time.Now()
		_, err := m.replica.Sync(context.Background(), nil)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("after %d answers: it took %v to give up", 3*at, took)
		}
		p.Break(nil)
		switch {
		case err == nil:
			t.Errorf("an Apply with all before it takes less than %d answers", 3*at)
		case !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 400ms"):
			t.Errorf("after %d answers: %v", 3*at, err)
		case strings.Contains(err.Error(), "did not answer"):
			in["question"]++
		default:
			in["Apply"]++
		}
	}
	if in["question"] < 2 || in["Apply"] < 2 {
		t.Errorf("it hung in %v", in)
	}
	m.replica.ApplyTimeout, m.replica.AnswerTimeout = 0, 0
	m.sync(t)
	m.verify(t, store)
	d.holds(t, folded(t, m.dir))
}

// TestHangingDaemon: the database hangs under a running daemon, and comes back.
func TestHangingDaemon(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	store := d.store(t, p.URL)
	m := newMachine(t, store)
	m.replica.ApplyTimeout, m.replica.AnswerTimeout = 500*time.Millisecond, 500*time.Millisecond
	m.work(t, "s", 5)
	stop := m.start(t)
	m.await(t, d.store(t, ""))
	p.Break(func(neo4jtest.Piece) neo4jtest.Fate { return neo4jtest.Hold })
	m.work(t, "s", 5)
	eventually(t, func() error {
		if h := m.replica.Health(); h.State != connector.Down {
			return errors.New(string(h.State))
		}
		return nil
	})
	p.Break(nil)
	m.await(t, d.store(t, ""))
	// It hangs again, and the daemon is told to stop.
	p.Break(func(neo4jtest.Piece) neo4jtest.Fate { return neo4jtest.Hold })
	m.work(t, "s", 5)
	began := time.Now()
	stop()
	store.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to stop beside a database that hangs", took)
	}
	p.Break(nil)
	m.replica.Store = d.store(t, "")
	m.sync(t)
	d.holds(t, folded(t, m.dir))
}

// TestLatency: a network of 10 ms each way is slow, and nothing else.
func TestLatency(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	p.Break(func(neo4jtest.Piece) neo4jtest.Fate {
		time.Sleep(10 * time.Millisecond)
		return neo4jtest.Pass
	})
	store := d.store(t, p.URL)
	m := newMachine(t, store)
	m.work(t, "s", 100)
	m.work(t, "other", 1)
	began := time.Now()
	m.sync(t)
	t.Logf("a first Apply of 2 sessions takes %v", time.Since(began))
	d.holds(t, folded(t, m.dir))
}

// TestDeadlock makes the server sacrifice a transaction of the store: another client
// holds what the store will want, and wants what the store holds.
func TestDeadlock(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	store := d.store(t, p.URL)
	m := newMachine(t, store)
	m.work(t, "s", 10)
	call := actiongraph.ToolCall{SessionID: "s", ToolName: "Bash", ToolUseID: "open"}
	if _, err := m.Recorder("").RecordToolCall(call); err != nil {
		t.Fatal(err)
	}
	m.sync(t)
	if _, err := m.Recorder("").RecordToolResult(actiongraph.ToolResult{SessionID: "s", ToolUseID: "open"}); err != nil {
		t.Fatal(err)
	}

	var deadlocks atomic.Int32
	held, once := make(chan struct{}), sync.Once{}
	var claiming atomic.Bool
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		switch {
		case piece.ToServer && piece.Has(claimed): // it has what it claims
			claiming.Store(true)
		case !piece.ToServer && claiming.Load():
			once.Do(func() { close(held) })
			return neo4jtest.Hold
		}
		return neo4jtest.Pass
	})
	ctx := context.Background()
	session := d.driver.NewSession(ctx, driver.SessionConfig{})
	defer session.Close(ctx)
	other, err := session.BeginTransaction(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lock := func(cypher string) error {
		result, err := other.Run(ctx, cypher, nil)
		if err == nil {
			_, err = result.Consume(ctx)
		}
		return err
	}
	if err := lock("MATCH (a:ToolCall) SET a.locked = 1 REMOVE a.locked"); err != nil {
		t.Fatal(err)
	}
	synced := make(chan error, 1)
	go func() {
		_, err := m.replica.Sync(ctx, nil)
		synced <- err
	}()
	select {
	case <-held:
	case err := <-synced:
		t.Fatalf("it ended before it was to wait: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- lock("MATCH (s:Session {session_id: 's'}) SET s.locked = 1 REMOVE s.locked") }()
	eventually(t, func() error {
		for _, r := range d.ask(t, "SHOW TRANSACTIONS YIELD status RETURN collect(status) AS all", nil) {
			for _, status := range r["all"].([]any) {
				if strings.HasPrefix(status.(string), "Blocked") {
					return nil
				}
			}
		}
		return errors.New("nobody waits for a lock")
	})
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		if piece.Has("DeadlockDetected") {
			deadlocks.Add(1)
		}
		return neo4jtest.Pass
	})
	othersErr := <-waiting
	if othersErr == nil {
		othersErr = other.Commit(ctx)
	} else {
		other.Rollback(ctx)
	}
	if err := <-synced; err != nil {
		t.Error(err)
	}
	t.Logf("the store lost %d deadlocks; the other client: %v", deadlocks.Load(), othersErr)
	if deadlocks.Load() == 0 && othersErr == nil {
		t.Error("no deadlock: nothing was tested")
	}
	m.verify(t, store)
	d.holds(t, folded(t, m.dir))
}

// TestTerminated: an operator ends the store's transaction.
func TestTerminated(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	m := newMachine(t, d.store(t, p.URL))
	m.work(t, "s", 10)
	var once sync.Once
	var writing atomic.Bool
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		if piece.ToServer && piece.Has("FOLLOWED_BY") {
			writing.Store(true)
		}
		if !piece.ToServer && writing.Load() {
			once.Do(func() {
				_, err := d.try("SHOW TRANSACTIONS YIELD transactionId AS id, currentQuery AS q, metaData WHERE NOT q CONTAINS 'TERMINATE' "+
					"TERMINATE TRANSACTIONS id YIELD message RETURN message", nil)
				if err != nil {
					t.Error(err)
				}
			})
		}
		return neo4jtest.Pass
	})
	_, err := m.replica.Sync(context.Background(), nil)
	t.Log("terminated: ", err)
	p.Break(nil)
	m.sync(t)
	d.holds(t, folded(t, m.dir))
	if !writing.Load() {
		t.Error("nothing was tested")
	}
}

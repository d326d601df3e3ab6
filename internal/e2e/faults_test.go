package e2e

import (
	"context"
	"errors"
	"fmt"
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
	claimed  = "AS owner"
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
	left, writing, cuts := map[int]int{}, map[int]bool{}, 0 // by connection: pieces that it may still carry
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		mu.Lock()
		defer mu.Unlock()
		if _, known := left[piece.Conn]; !known {
			left[piece.Conn] = 1 + r.IntN(60) // an Apply is about 40, what comes before it 100
			writing[piece.Conn] = r.IntN(4) == 0
		}
		// Three of four connections may carry all up to their first Apply.
		if writing[piece.Conn] = writing[piece.Conn] || piece.ToServer && piece.Has(claimed); !writing[piece.Conn] {
			return neo4jtest.Pass
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
	for n, want := 0, tenth(600); so() < want; n++ {
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
	m.replica.ApplyTimeout, m.replica.AnswerTimeout = time.Second, time.Second // a busy server takes 0.4 s to answer
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
		case !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "within 1s"):
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
	m.replica.ApplyTimeout, m.replica.AnswerTimeout = time.Minute, time.Minute // a busy machine is no database that hangs
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

// TestDeadlock makes the server sacrifice a transaction of the store, which is made again.
func TestDeadlock(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	store := d.store(t, p.URL)
	m := newMachine(t, store)
	m.work(t, "s", 10)
	// Which of the two transactions of a deadlock it is, the server decides.
	lost := 0
	for n := 0; n < 10 && lost == 0; n++ {
		lost = deadlock(t, d, p, m, fmt.Sprint("toolu_", n))
	}
	if lost == 0 {
		t.Error("the store lost no deadlock: nothing was tested")
	}
	m.verify(t, store)
	d.holds(t, folded(t, m.dir))
}

// deadlock syncs the result of a call while another client holds the call, which the store
// is going to want, and wants the session, which the store holds. It returns how many
// deadlocks the store lost.
func deadlock(t *testing.T, d *database, p *neo4jtest.Proxy, m *machine, call string) (lost int) {
	t.Helper()
	m.call(t, "s", call, "ls")
	m.sync(t)
	_, err := m.Recorder("").RecordToolResult(actiongraph.ToolResult{SessionID: "s", ToolUseID: call})
	must(t, err)
	ctx := context.Background()
	session := d.driver.NewSession(ctx, driver.SessionConfig{})
	defer session.Close(ctx)
	other, err := session.BeginTransaction(ctx)
	must(t, err)
	defer other.Close(ctx)
	lock := func(match string) error {
		result, err := other.Run(ctx, match+" SET n.locked = 1 REMOVE n.locked", nil)
		if err == nil {
			_, err = result.Consume(ctx)
		}
		return err
	}
	must(t, lock("MATCH (n:ToolCall)"))

	held := holdOnce(p, claimed)
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
	go func() { waiting <- lock("MATCH (n:Session {session_id: 's'})") }()
	eventually(t, func() error {
		if d.count(t, "SHOW TRANSACTIONS YIELD status WHERE status STARTS WITH 'Blocked' RETURN count(*)") == 0 {
			return errors.New("nobody waits for a lock")
		}
		return nil
	})
	var deadlocks atomic.Int32
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		if piece.Has("DeadlockDetected") {
			deadlocks.Add(1)
		}
		return neo4jtest.Pass
	})
	if err := <-waiting; err == nil {
		must(t, other.Commit(ctx))
	} else {
		must(t, other.Rollback(ctx))
	}
	must(t, <-synced)
	p.Break(nil)
	return int(deadlocks.Load())
}

// holdOnce holds the answer to the next statement with these words, until the rule is
// changed; the returned channel is closed when it does.
func holdOnce(p *neo4jtest.Proxy, words string) <-chan struct{} {
	held, once := make(chan struct{}), sync.Once{}
	var sent atomic.Bool
	p.Break(func(piece neo4jtest.Piece) neo4jtest.Fate {
		switch {
		case piece.ToServer && piece.Has(words):
			sent.Store(true)
		case !piece.ToServer && sent.Load():
			once.Do(func() { close(held) })
			return neo4jtest.Hold
		}
		return neo4jtest.Pass
	})
	return held
}

// TestTerminated: an operator ends the store's transaction.
func TestTerminated(t *testing.T) {
	d := emptied(t)
	p := neo4jtest.NewProxy(t, d.url)
	m := newMachine(t, d.store(t, p.URL))
	m.work(t, "s", 10)
	held := holdOnce(p, putEdges)
	synced := make(chan error, 1)
	go func() {
		_, err := m.replica.Sync(context.Background(), nil)
		synced <- err
	}()
	select {
	case <-held:
	case err := <-synced:
		t.Fatalf("it ended before it was to wait: %v", err)
	}
	for _, r := range d.ask(t, "SHOW TRANSACTIONS YIELD transactionId, currentQuery WHERE NOT currentQuery STARTS WITH 'SHOW' RETURN transactionId AS id", nil) {
		d.ask(t, "TERMINATE TRANSACTION $id", r)
	}
	p.Break(nil)
	if err := <-synced; err == nil || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("%v: want that the transaction was terminated", err)
	}
	m.sync(t)
	d.holds(t, folded(t, m.dir))
}

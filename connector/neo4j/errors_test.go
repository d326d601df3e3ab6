package neo4j

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/graph"
)

// What is wrong is said in one word, the same whatever the driver wrapped it in, and with
// what to do about it.
func TestErrorsSayWhatToDo(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	unknown := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nowhere"}}
	lost := func(err error) error { return &driver.ConnectivityError{Inner: err} }
	gaveUp := func(cause string, tries ...error) error {
		return &driver.TransactionExecutionLimit{Cause: cause, Errors: tries}
	}
	server := func(code, text string) error { return &driver.Neo4jError{Code: code, Msg: text} }
	late := func(err error) error { return fmt.Errorf("%w: %w", context.DeadlineExceeded, err) }
	unauthorized := server("Neo.ClientError.Security.Unauthorized", "The client is unauthorized.")
	for _, c := range []struct {
		name, url    string
		err          error
		reason, want string
		not          string // "" is nothing
	}{
		{"nobody listens", "bolt://a", lost(refused), "store.unreachable", "is the database running", "TLS"},
		{"nobody listens to TLS", "bolt+s://a", lost(refused), "store.unreachable", "is the database running", "TLS"},
		{"after all tries", "bolt://a", gaveUp("timeout (exceeded max retry time: 8s)", refused, refused), "store.unreachable", "connection refused: is the database running", "retry"},
		{"when time was over", "bolt://a", late(gaveUp("context deadline exceeded", refused)), "store.unreachable", "connection refused: is the database running", "deadline"},
		{"time was over in between", "bolt://a", late(gaveUp("timeout", refused, context.DeadlineExceeded)), "store.unreachable", "connection refused: is the database running", "deadline"},
		{"silence", "bolt://a", late(lost(context.DeadlineExceeded)), "store.timeout", "no answer in time: is the database running", "deadline"},
		{"silence in all tries", "bolt://a", gaveUp("timeout", lost(context.DeadlineExceeded)), "store.timeout", "no answer in time", "deadline"},
		{"hung up", "bolt://a", lost(io.EOF), "store.unreachable", "does it want TLS (bolt+s)?", ""},
		{"hung up on a cluster", "neo4j://a", lost(io.EOF), "store.unreachable", "does it want TLS (neo4j+s)?", ""},
		{"hung up on TLS", "bolt+ssc://a", lost(io.EOF), "store.unreachable", "is the database running?", "TLS"},
		{"plain", "bolt+s://a", lost(errors.New("remote end closed the connection, check that TLS is enabled on the server")), "store.tls", "bolt:// is without", "(bolt+s)"},
		{"no such host", "bolt://a", lost(unknown), "store.unreachable", "spelled right", "TLS"},
		{"password", "bolt://a", unauthorized, "store.login", "user or password is wrong: set AG_GRAPH_PASSWORD, or password", ""},
		{"too often", "bolt://a", server("Neo.ClientError.Security.AuthenticationRateLimit", "Too many attempts"), "store.login", "user or password is wrong", ""},
		{"memgraph", "bolt://a", server("Memgraph.ClientError.Security.Unauthenticated", "Authentication failure"), "store.login", "config.toml", ""},
		{"disk", "bolt://a", gaveUp("timeout", server("Neo.TransientError.General.TransactionLogError", "cannot write")), "store.full", "disk full", "timeout"},
		{"index", "bolt://a", server("Neo.ClientError.Procedure.ProcedureCallFailed", "There is no such fulltext schema index: action_search"), "store.no_index", "graph-schema setup --graph bolt://a", ""},
		{"conflict", "bolt://a", fmt.Errorf("it was emptied: %w", graph.ErrConflict), "store.conflict", "it was emptied", ""},
		{"version", "bolt://a", supported(&Info{Product: "Neo4j", Version: "4.4.30"}), "store.version", "Neo4j 5.0 or later", ""},
		{"another", "bolt://a", server("Neo.DatabaseError.General.UnknownError", "oops"), "store.failed", "oops", ""},
	} {
		o := Options{URL: c.url, User: "neo4j", Password: "guess"}
		for _, doing := range []string{"apply", "read positions"} {
			got := fail(o, doing, c.err)
			var named interface{ Reason() string }
			if !errors.As(got, &named) || named.Reason() != c.reason {
				t.Errorf("%s: %v is not %s", c.name, got, c.reason)
			}
			if text := got.Error(); !strings.HasPrefix(text, "graph "+c.url+": "+doing+": ") || !strings.Contains(text, c.want) ||
				c.not != "" && strings.Contains(text, c.not) || strings.Contains(text, "Connectivity") || strings.Contains(text, "TransactionExecutionLimit") {
				t.Errorf("%s: %q; want %q, not %q", c.name, text, c.want, c.not)
			}
			if !errors.Is(got, c.err) || errors.Is(c.err, context.DeadlineExceeded) != errors.Is(got, context.DeadlineExceeded) {
				t.Errorf("%s: what was wrapped cannot be found", c.name)
			}
		}
	}
	if got := fail(Options{URL: "bolt://a"}, "apply", unauthorized); !strings.Contains(got.Error(), "no password was given: set AG_GRAPH_PASSWORD") {
		t.Errorf("without a password: %v", got)
	}
	if err := fail(Options{}, "apply", fmt.Errorf("%w: %w", context.Canceled, lost(refused))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A server that is gone is forgotten, however the driver says so: another one, of another
// version, may answer next. One that refuses a statement is not.
func TestLostServers(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	deadlock := &driver.Neo4jError{Code: "Neo.TransientError.Transaction.DeadlockDetected"}
	for _, c := range []struct {
		err  error
		lost bool
	}{
		{&driver.ConnectivityError{Inner: refused}, true},
		{&driver.TransactionExecutionLimit{Errors: []error{deadlock, refused}}, true},
		{&driver.TransactionExecutionLimit{Errors: []error{refused, deadlock}}, false},
		{deadlock, false},
	} {
		s := &Store{info: &Info{}}
		if s.lost(c.err); (s.info == nil) != c.lost {
			t.Errorf("%v: forgotten %v, want %v", c.err, s.info == nil, c.lost)
		}
	}
}

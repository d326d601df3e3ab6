package neo4j

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
)

var errReadOnly = errors.New("the store was opened read-only")

// failure is an error of a database: where, while doing what, why, and what to do about it.
type failure struct {
	text, reason string
	err          error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// Reason says in a word what is wrong, the same word for as long as it is: texts change
// from try to try, and whoever compares those says one outage again and again.
func (f *failure) Reason() string { return f.reason }

func (s *Store) fail(doing string, err error) error { return fail(s.opts, doing, err) }

// fail wraps an error with the database's URL, which holds no password, and what to do.
func fail(o Options, doing string, err error) error {
	var owned *graph.OwnedError
	if err == nil || errors.As(err, &owned) {
		return err
	}
	text := fmt.Sprintf("graph %s: %s: ", o.URL, doing)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s%w", text, err)
	}
	reason, cure := diagnose(err, o)
	if reason == reasonTimeout {
		text += "no answer in time"
	} else {
		text += plain(err)
	}
	if cure != "" {
		text += ": " + cure
	}
	return errcode.With(errcode.Code(reason), &failure{text, reason, err})
}

// plain is what an error says without what the driver says of itself: its retries hide
// the one sentence that somebody can do something about.
func plain(err error) string {
	text := err.Error()
	var gaveUp *driver.TransactionExecutionLimit
	if errors.As(err, &gaveUp) {
		text = strings.Replace(text, gaveUp.Error(), lastTry(err).Error(), 1)
	}
	text = strings.TrimPrefix(text, context.DeadlineExceeded.Error()+": ")
	return strings.Replace(text, "ConnectivityError: ", "", 1)
}

// lastTry is what the driver's last attempt at a transaction failed with: not that the
// caller's time was over then, which is why it was the last.
func lastTry(err error) error {
	var gaveUp *driver.TransactionExecutionLimit
	if !errors.As(err, &gaveUp) {
		return err
	}
	for _, try := range slices.Backward(gaveUp.Errors) {
		if !isTimeout(try) {
			return lastTry(try)
		}
	}
	return context.DeadlineExceeded
}

// isTimeout reports an error that says only that time was over. The driver wraps a
// deadline that ended while it connected without Unwrap.
func isTimeout(err error) bool {
	var lost *driver.ConnectivityError
	if errors.As(err, &lost) {
		return isTimeout(lost.Inner)
	}
	var limit net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &limit) && limit.Timeout()
}

// isLost reports that the server is not there, or the connection no longer. The errors of
// a transaction's attempts are not yet wrapped as the driver wraps its own: what it tries
// again is a lost connection unless the server itself said it.
func isLost(err error) bool {
	var gaveUp *driver.TransactionExecutionLimit
	var refused *driver.Neo4jError
	var lost *driver.ConnectivityError
	return errors.As(err, &lost) || errors.As(err, &gaveUp) && !errors.As(lastTry(err), &refused)
}

// isRefused reports an error of what a transaction wrote: somebody's own constraint that it
// breaks, more than the server has memory for. The server is well, and takes others.
func isRefused(err error) bool {
	var refused *driver.Neo4jError
	if !errors.As(lastTry(err), &refused) {
		return false
	}
	for _, code := range []string{"Neo.ClientError.Schema.", "Neo.ClientError.Statement.", "Neo.DatabaseError.Statement.", "Memgraph.ClientError.MemgraphError"} {
		if strings.HasPrefix(refused.Code, code) {
			return true
		}
	}
	return strings.HasSuffix(refused.Code, "OutOfMemoryError")
}

// ended says that a context ended where that is why something failed: the driver's own
// errors hide it, and a deadline may reach a socket before it reaches the context.
func ended(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if why := ctx.Err(); why != nil {
		return fmt.Errorf("%w: %w", why, err)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

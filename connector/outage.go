package connector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/graph"
)

// outage says that a store failed and why, whenever the reason is another one, and
// once that it is back.
type outage struct {
	log    zerolog.Logger
	since  time.Time
	reason string // what was said last; "" while there is no outage
}

func (o *outage) begin(err error) {
	reason, same := reasonOf(err)
	if o.since.IsZero() {
		o.since = time.Now()
	} else if same == o.reason {
		return
	}
	o.reason = same
	logError(o.log.Warn(), reason, err).
		Msg("the store does not take what is in the journal; trying again, nothing is lost")
}

func (o *outage) over() {
	if o.since.IsZero() {
		return
	}
	o.log.Info().Float64("seconds", time.Since(o.since).Seconds()).Msg("the store is up to date again")
	o.since, o.reason = time.Time{}, ""
}

// timeoutError says that a store did not do something in time. What a store's driver then
// says need not wrap the context's error: that of Neo4j does not.
type timeoutError struct {
	doing string // "finish", "answer"
	limit time.Duration
	err   error
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("the store did not %s within %v: %v", e.doing, e.limit, e.err)
}

func (e *timeoutError) Unwrap() []error { return []error{context.DeadlineExceeded, e.err} }

// reasonOf names in a word what is wrong, and returns what stays the same as long as
// that is: the word, where the store's error has one (a method Reason), else its text
// without the numbers in it, as ports and times change from one try to the next.
func reasonOf(err error) (reason, same string) {
	var named interface{ Reason() string }
	switch {
	case errors.As(err, &named):
		return named.Reason(), named.Reason()
	case errors.Is(err, graph.ErrConflict):
		return "store.conflict", "store.conflict"
	case errors.Is(err, context.DeadlineExceeded):
		return "store.timeout", "store.timeout"
	}
	return "store.failed", strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
}

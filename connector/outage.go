package connector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// outage says that a store failed and why, whenever the reason is another one, and
// once that it is back. Its zero value says nothing.
type outage struct {
	log    zerolog.Logger
	since  time.Time
	reason string // what was said last; "" while there is no outage
	untidy string // what maintaining it failed with last
	picky  bool   // it is said that the store refuses sessions
}

func (o *outage) begin(err error) {
	reason, same := reasonOf(err)
	if o.since.IsZero() {
		o.since = time.Now()
	} else if same == o.reason {
		return
	}
	o.reason = same
	o.log.WithLevel(logline.Level(failure.Reason(reason))).EmbedObject(logline.Why(failure.Reason(reason), err)).
		Msg("the store does not take what is in the journal; trying again, nothing is lost")
}

// longCatchUp is how much of journal a store takes in more than a moment.
const longCatchUp = 1 << 20

// answers says that the store is there again where it will be a while until it has all that
// it missed: until then nothing else would be in the log but that it is down.
func (o *outage) answers(missed int64) {
	if o.since.IsZero() || missed < longCatchUp {
		return
	}
	o.reason = "" // it is another outage if it fails now
	o.log.Info().Int64("bytes", missed).Msg("the store answers again and takes what it missed")
}

// tidied says once that the store's own work fails, err, until it succeeds.
func (o *outage) tidied(err error) {
	if err == nil {
		o.untidy = ""
		return
	}
	_, same := reasonOf(err)
	if same != o.untidy {
		o.log.Warn().EmbedObject(logline.Why(failure.StoreMaintenance, err)).Msg("the store could not tidy itself")
	}
	o.untidy = same
}

// refuses says once that the store refuses some of the sessions, err, and once that it
// refuses none any more.
func (o *outage) refuses(err error) {
	switch {
	case err != nil && !o.picky:
		o.log.Warn().EmbedObject(logline.Why(failure.StoreRefused, err)).Msg("the store takes all but these sessions; trying them again, nothing is lost")
	case err == nil && o.picky:
		o.log.Info().Msg("the store took the sessions that it had refused")
	}
	o.picky = err != nil
}

func (o *outage) over() {
	if o.since.IsZero() {
		return
	}
	o.log.Info().Float64("latency_seconds", time.Since(o.since).Seconds()).Msg("the store is up to date again")
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
	if reason, _ := reasonOf(e.err); reason == timedOut {
		return fmt.Sprintf("the store did not %s within %v", e.doing, e.limit)
	}
	return fmt.Sprintf("the store did not %s within %v: %v", e.doing, e.limit, e.err)
}

func (e *timeoutError) Unwrap() []error { return []error{context.DeadlineExceeded, e.err} }

const (
	timedOut = "store.timeout"
	// login is the Reason of a store that does not let this user in. Servers lock the
	// account of whoever tries a wrong password again and again.
	login = "store.login"
)

// reasoned is an error of a store itself, not of what it was given: Reason names in a word
// what is wrong with it. "store.failed" is none of those that the store knows.
type reasoned interface{ Reason() string }

// reasonOf names in a word what is wrong, and returns what stays the same as long as
// that is: the word, where the store's error is reasoned, else its text
// without the numbers in it, as ports and times change from one try to the next.
func reasonOf(err error) (reason, same string) {
	var named reasoned
	reason = "store.failed"
	switch {
	case errors.Is(err, graph.ErrConflict):
		reason = "store.conflict"
	case errors.Is(err, graph.ErrRefused):
		reason = "store.refused" // the text names any one of the sessions
	case errors.As(err, &named):
		reason = named.Reason()
	case errors.Is(err, context.DeadlineExceeded):
		reason = timedOut
	}
	if reason != "store.failed" {
		return reason, reason
	}
	return reason, strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
}

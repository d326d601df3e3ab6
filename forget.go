package actiongraph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/schema"
)

// ForgetFilter says which sessions are to be forgotten; what is set has to hold together.
type ForgetFilter = forget.Filter

// Forgettable is what a ForgetFilter chooses.
type Forgettable = forget.Found

// ForgettableSession is one of them, ForgetBeside one that is not taken, ForgetFork one that shares
// something with them, and keeps it.
type (
	ForgetFork         = forget.Fork
	ForgettableSession = forget.Session
	ForgetBeside       = forget.Beside
)

// ForgottenError says that sessions were forgotten, so that nothing of them is recorded any
// more. All else that was to be recorded is in the journal.
type ForgottenError struct {
	Sessions []string
	Events   int // that were not recorded
}

func (e *ForgottenError) Error() string {
	return fmt.Sprintf("session %s was forgotten, and nothing of it is recorded any more: `ag-sessiond forget session %s --lift` takes that back",
		strings.Join(e.Sessions, ", "), e.Sessions[0])
}

// Forgettable chooses sessions by what the journal says of them, and removes nothing.
func (h *Home) Forgettable(ctx context.Context, f ForgetFilter) (Forgettable, error) {
	return forget.Find(ctx, h.journal, f, time.Now())
}

// ForgetReport says what Forget did. The stores drop the sessions by themselves, when they are
// caught up next.
type ForgetReport struct {
	Sessions int   `json:"sessions"`
	Events   int64 `json:"events"`
	Bytes    int64 `json:"bytes"` // of journal
	// Pending is how many forgotten sessions, of now or before, each store still holds, or
	// cannot say that it does not.
	Pending map[string]int `json:"pending"`
}

// forgetPatience is how long Forget waits for a daemon to take sessions out of the embedded
// store, and othersPatience for it to take them out of others.
const (
	forgetPatience = 10 * time.Second
	othersPatience = 2 * time.Second
)

// Forget takes sessions that Forgettable found out of the home, for good: out of the journal, the
// embedded store and what else says something of them. A hook that still runs, a session that is
// resumed, an import that meets them again record nothing of them. why is a word that stays with
// each tombstone. Events that name no session ("unknown") go by themselves, and leave no tombstone.
//
// The embedded store is caught up, or where a daemon keeps it, waited for, ten seconds at
// most. Other stores are done by who keeps them; stores are the names of all, of which the report
// says what is pending. What was begun when the error came, or a kill, the next Forget, or a
// daemon's start, completes.
func (h *Home) Forget(ctx context.Context, found Forgettable, why string, stores ...string) (ForgetReport, error) {
	report := ForgetReport{Pending: map[string]int{}}
	if err := h.forget(found, why, time.Now()); err != nil {
		return report, err
	}
	report.Sessions, report.Events, report.Bytes = len(found.Sessions), found.Events(), found.Bytes()
	_, err := h.Sync(ctx)
	for begun := time.Now(); ; _, err = h.Sync(ctx) {
		locked := errors.Is(err, connector.ErrLocked)
		if locked {
			err = nil // who writes the store, a daemon mostly, drops them from it
		}
		var pendingErr error
		if report.Pending, pendingErr = h.PendingForgets(stores...); pendingErr != nil || err != nil {
			return report, errors.Join(err, pendingErr)
		}
		patience := othersPatience
		if report.Pending[EmbeddedStore] > 0 {
			patience = forgetPatience
		}
		if !locked || len(report.Pending) == 0 || time.Since(begun) > patience {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
	// A daemon may have said something of them until now.
	return report, forget.Clean(h.journal.Home(), found)
}

// forget is Forget without the stores.
func (h *Home) forget(found Forgettable, why string, at time.Time) error {
	return forget.Do(h.journal, found, why, at)
}

// Retain forgets the sessions of which nothing is as new as age before now, but for those with one
// of some tags, and completes what was begun before. It leaves the stores to who keeps them, and
// returns what it forgot. An age of 0 forgets none.
func (h *Home) Retain(ctx context.Context, age time.Duration, keepTags []string, now time.Time) (Forgettable, error) {
	err := h.ResumeForgetting()
	if _, leftErr := h.journal.RemoveForgotten(); leftErr != nil {
		err = errors.Join(err, leftErr)
	}
	if err != nil || age == 0 {
		return Forgettable{}, err
	}
	found, err := forget.Find(ctx, h.journal, ForgetFilter{Before: now.Add(-age), KeepTags: keepTags}, now)
	if ctx.Err() != nil {
		return Forgettable{}, ctx.Err()
	}
	// A session that could not be read is not among them, and keeps no other from it.
	if failed := h.forget(found, "retention", now); failed != nil {
		return Forgettable{}, errors.Join(err, failed)
	}
	return found, err
}

// ResumeForgetting completes what a Forget that was killed had begun, as Open does.
func (h *Home) ResumeForgetting() error { return forget.Resume(h.journal) }

// PendingForgets counts, of each store of these names that holds forgotten sessions, or may, how
// many: of none it is empty. The embedded store, "sqlite", is always asked about.
func (h *Home) PendingForgets(stores ...string) (map[string]int, error) {
	pending, _, err := forget.Pending(h.journal, append(stores, EmbeddedStore))
	return pending, err
}

// EmbeddedStore is what the store in the home is called among others.
const EmbeddedStore = sqlite.Name

// Lift lets a session that was forgotten be recorded again, from now on; what was forgotten is
// gone. It reports whether the session was. A store that still holds what is to be forgotten is
// an error: it would keep that.
func (h *Home) Lift(session string, stores ...string) (bool, error) {
	if !h.journal.Forgotten(session) {
		return false, nil
	}
	pending, err := forget.PendingOf(h.journal, session, append(stores, EmbeddedStore))
	if err != nil {
		return false, err
	}
	if len(pending) > 0 {
		return false, fmt.Errorf("session %s is still in %s, and would stay there: run ag-sessiond sync first", session, strings.Join(pending, ", "))
	}
	return h.journal.Lift(session)
}

// Forgotten reports whether a session was forgotten.
func (h *Home) Forgotten(session string) bool { return h.journal.Forgotten(schema.SafeID(session)) }

// dropped returns the error that names the sessions of which nothing was recorded, nil where all
// was. It costs one look a session.
func (h *Home) dropped(events []schema.Event) error {
	e := &ForgottenError{}
	forgotten := map[string]bool{}
	for i := range events {
		session := events[i].SessionID
		gone, known := forgotten[session]
		if !known {
			gone = h.Forgotten(session)
			if forgotten[session] = gone; gone {
				e.Sessions = append(e.Sessions, session)
			}
		}
		if gone {
			e.Events++
		}
	}
	if e.Events == 0 {
		return nil
	}
	return e
}

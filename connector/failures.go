package connector

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/schema"
)

const (
	// maxFailures is how many failures of one session are recorded: who has more of a kind
	// learns nothing from the next. maxRecorder is the same of those that are of no session.
	maxFailures = 100
	maxRecorder = 10_000
	// freshFor is how long after its last line a session's failures are recorded: a catch-up over
	// old sessions is not to wake each of them.
	freshFor = 24 * time.Hour
	// maxKnown is how many sessions' failures are remembered.
	maxKnown = 256
)

// Failures records what goes wrong as events of the sessions that it happened to, each once.
// It may be used from many goroutines; nil records nothing. Only who may write to the journal
// has one: the daemon, and verbs that append.
type Failures struct {
	Journal *journal.Journal
	Log     zerolog.Logger
	// Metrics counts the failures of no session, which no store takes and so nobody else counts.
	Metrics metrics.Metrics

	mu     sync.Mutex
	known  map[string]map[string]struct{} // by session, the ids that are in its file
	broken bool                           // it is said that the journal takes none
}

// Record appends the event of a failure, and says it in the log with a message. False says that the failure is
// not in the journal, and so nobody was told: of a session without a file, which was forgotten or
// left out; of one that is silent for long; or because there are too many.
func (r *Failures) Record(f failure.Failure, message string) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ids, err := r.of(f.SessionID)
	if err != nil {
		return false
	}
	if _, again := ids[f.EventID]; again {
		return true
	}
	limit := maxFailures
	if f.SessionID == schema.Recorder {
		limit = maxRecorder
	} else if file, err := r.Journal.Stat(f.SessionID); err != nil || time.Since(file.ModTime) > freshFor {
		return false
	}
	if len(ids) >= limit {
		return false
	}
	if f.Timestamp.IsZero() {
		f.Timestamp = time.Now().UTC()
	}
	if err := r.Journal.Append(r.Journal.Redactor("").Event(f.Event())); err != nil {
		if !r.broken { // never an event: it would fail likewise
			r.Log.Warn().EmbedObject(logline.Why(failure.Unrecorded, err)).Msg("a failure cannot be recorded")
		}
		r.broken = true
		return false
	}
	r.broken = false
	ids[f.EventID] = struct{}{}
	if f.SessionID == schema.Recorder && r.Metrics != nil {
		r.Metrics.Counter(metrics.Failures, 1, string(f.Reason))
	}
	r.Log.WithLevel(logline.Level(f.Reason)).Str("event_id", f.EventID).EmbedObject(logline.Of(f)).Msg(message)
	return true
}

// of returns the ids of a session's failures, which the file is read for once.
func (r *Failures) of(session string) (map[string]struct{}, error) {
	if ids, ok := r.known[session]; ok {
		return ids, nil
	}
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = map[string]map[string]struct{}{}
	}
	ids := map[string]struct{}{}
	err := ReadFailures(context.Background(), r.Journal, session, func(f failure.Failure) { ids[f.EventID] = struct{}{} })
	if err != nil && !(session == schema.Recorder && errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	r.known[session] = ids
	return ids, nil
}

// ReadFailures passes the failures in a session's file to yield, those of no session where it
// is schema.Recorder; one that is recorded twice comes twice. Only the lines that may be one
// are decoded. The error wraps fs.ErrNotExist where there is no file.
func ReadFailures(ctx context.Context, j *journal.Journal, session string, yield func(failure.Failure)) error {
	mark := []byte(`"source_sdk":"` + schema.Recorder + `"`)
	for line, err := range j.Records(session) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if !bytes.Contains(line, mark) {
			continue
		}
		if e, err := schema.Decode(line); err == nil && e.SessionID == session {
			if f, ok := failure.Of(&e); ok {
				yield(f)
			}
		}
	}
	return nil
}

// FailureFilter chooses failures; zero fields choose all.
type FailureFilter struct {
	Session string // schema.Recorder: those of no session
	Reason  failure.Reason
	Since   time.Time
}

// FindFailures returns the failures that a journal has, the oldest first. Of all sessions it
// reads the whole journal, some 400 MB a second and core; with Since only the files that changed after
// it. A file that cannot be read does not keep the others from the answer; the error names it.
func FindFailures(ctx context.Context, j *journal.Journal, f FailureFilter) ([]failure.Failure, error) {
	sessions := []string{f.Session}
	if f.Session == "" {
		files, err := j.Files()
		if err != nil {
			return nil, err
		}
		sessions[0] = schema.Recorder
		for _, file := range files {
			if !file.ModTime.Before(f.Since) {
				sessions = append(sessions, file.Session)
			}
		}
	}
	all, errs := []failure.Failure{}, []error(nil)
	for _, session := range sessions {
		seen := map[string]bool{}
		err := ReadFailures(ctx, j, session, func(found failure.Failure) {
			if !seen[found.EventID] && !found.Timestamp.Before(f.Since) && (f.Reason == "" || f.Reason == found.Reason) {
				all = append(all, found)
			}
			seen[found.EventID] = true
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// One that is gone meanwhile has none; nor has the recorder's, where there was never any.
		if err != nil && !(errors.Is(err, fs.ErrNotExist) && (f.Session == "" || session == schema.Recorder)) {
			errs = append(errs, err)
		}
	}
	slices.SortStableFunc(all, func(a, b failure.Failure) int { return a.Timestamp.Compare(b.Timestamp) })
	return all, errors.Join(errs...)
}

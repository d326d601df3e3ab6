package live

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
	"github.com/actiongraph/actiongraph/usage"
)

// Watcher tells what changes in the sessions of a journal that run.
type Watcher struct {
	Journal *journal.Journal
	Session string         // only this one, whether it runs or not; "" is all that run
	Prices  *usage.Table   // nil are the list prices
	Log     zerolog.Logger // of the watch on the journal's folder

	Now func() time.Time // tests set it; else time.Now

	sessions map[string]*session
}

// Run tells on out what there is, Ready, and then what changes, until ctx ends; it returns
// ctx's error. The newest session comes first. It keeps no more than what runs; where the
// receiver is slow, several changes of a session are told as one.
func (w *Watcher) Run(ctx context.Context, out chan<- Change) error {
	if w.Prices == nil {
		list, err := usage.ListPrices()
		if err != nil {
			return err
		}
		w.Prices = &list
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	w.sessions = map[string]*session{}
	files, err := w.Journal.Files()
	if err != nil {
		return err
	}
	reports := make(chan []string)
	dir := tail.Dir{Path: journal.Dir(w.Journal.Home()), Name: journal.SessionOf, Log: w.Log}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = dir.Run(ctx, reports) // ctx's, as ours
	}()
	defer func() { <-stopped }()
	old := time.NewTicker(15 * time.Second)
	defer old.Stop()
	// Of a folder without files there is no first report.
	ready := len(files) == 0
	if ready && !send(ctx, out, []Change{{Ready: true}}) {
		return ctx.Err()
	}
	for {
		var changes []Change
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-old.C:
			changes = w.forget()
		case names := <-reports:
			for _, name := range w.newestFirst(names) {
				if !send(ctx, out, w.look(ctx, name)) {
					return ctx.Err()
				}
			}
			if !ready {
				ready, changes = true, []Change{{Ready: true}}
			}
		}
		if !send(ctx, out, changes) {
			return ctx.Err()
		}
	}
}

func send(ctx context.Context, out chan<- Change, changes []Change) bool {
	for _, c := range changes {
		select {
		case out <- c:
		case <-ctx.Done():
			return false
		}
	}
	return ctx.Err() == nil
}

// newestFirst are the sessions of a report that may run, by the time of their files.
func (w *Watcher) newestFirst(names []string) []string {
	files := make([]journal.File, 0, len(names))
	for _, name := range names {
		if !schema.ValidID(name) || schema.NoSession(name) || w.Session != "" && name != w.Session {
			continue
		}
		f, err := w.Journal.Stat(name)
		if w.sessions[name] == nil && (err != nil || w.Session == "" && w.Now().Sub(f.ModTime) >= Silence) {
			continue
		}
		f.Session = name
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b journal.File) int {
		return cmp.Or(b.ModTime.Compare(a.ModTime), cmp.Compare(a.Session, b.Session))
	})
	out := make([]string, len(files))
	for i, f := range files {
		out[i] = f.Session
	}
	return out
}

// look reads what is new of a session.
func (w *Watcher) look(ctx context.Context, id string) []Change {
	s := w.sessions[id]
	first := s == nil
	if first {
		if w.Session == "" && !w.mayRun(id) {
			return nil
		}
		s = newSession(id, w.Journal.ID(), w.Prices)
		w.sessions[id] = s
	}
	reset := first
	err := w.read(ctx, s)
	for range 3 {
		if !errors.Is(err, journal.ErrReplaced) || errors.Is(err, fs.ErrNotExist) {
			break
		}
		s, reset = newSession(id, w.Journal.ID(), w.Prices), true
		w.sessions[id] = s
		err = w.read(ctx, s)
	}
	if errors.Is(err, fs.ErrNotExist) {
		delete(w.sessions, id)
		return []Change{{Session: s.summary(), Gone: true}}
	}
	c := Change{Session: s.summary(), Actions: s.changes(), Reset: reset, Err: err}
	if w.Session == "" && !c.Session.Running(w.Now()) {
		delete(w.sessions, id)
		if first && err == nil {
			return nil
		}
		c.Gone = true
	}
	return []Change{c}
}

// maxFolded is how many events are folded before what they changed is taken: until then it
// is in memory, texts included.
const maxFolded = 1000

// read folds what is new in a session's file.
func (w *Watcher) read(ctx context.Context, s *session) error {
	cursor, err := w.Journal.Read(s.id, s.at)
	if err != nil {
		return err
	}
	defer cursor.Close()
	lines := schema.Decoder{Alias: true}
	for n := 1; ctx.Err() == nil; n++ {
		line, err := cursor.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		e, err := lines.Record(line, s.id)
		if err != nil {
			s.refused++
			continue
		}
		if s.fold.Apply(&e); n%maxFolded == 0 {
			s.take()
		}
	}
	s.take()
	s.at = cursor.Position()
	return nil
}

// lookBack is how much of the end of a file says whether its session may run, in bytes.
const lookBack = 64 << 10

// mayRun reports whether a session has to be folded to know whether it runs. It does not if
// its last lines are all of long ago, as after an import, or if it ended before Lately.
func (w *Watcher) mayRun(id string) bool {
	file, err := w.Journal.Content(id)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) // the reader says why
	}
	defer file.Close()
	from := max(0, file.Size()-lookBack)
	end := make([]byte, file.Size()-from)
	if _, err := file.ReadAt(end, from); err != nil && err != io.EOF {
		return true
	}
	var last time.Time
	ended := false
	var lines schema.Decoder
	for line := range bytes.Lines(end) {
		e, err := lines.Decode(bytes.TrimSpace(line))
		if err != nil || e.EventType == schema.SourcePosition || e.OfRecorder() || e.Timestamp.Before(last) {
			continue
		}
		last, ended = e.Timestamp, e.EventType == schema.SessionEnd || ended && e.Timestamp.Equal(last)
	}
	quiet := w.Now().Sub(last)
	return last.IsZero() || quiet < Lately || !ended && quiet < Silence
}

// forget drops the sessions that no longer run.
func (w *Watcher) forget() (out []Change) {
	if w.Session != "" {
		return nil
	}
	for id, s := range w.sessions {
		if sum := s.summary(); !sum.Running(w.Now()) {
			delete(w.sessions, id)
			out = append(out, Change{Session: sum, Gone: true})
		}
	}
	return out
}

// Find returns the one session of a journal that arg is the id of, or the beginning of it;
// "latest" is the one that was written last. It looks at names and times alone.
func Find(j *journal.Journal, arg string) (string, error) {
	files, err := j.Files()
	if err != nil {
		return "", err
	}
	slices.SortFunc(files, func(a, b journal.File) int { return b.ModTime.Compare(a.ModTime) })
	var found []string
	for _, f := range files {
		switch {
		case f.Session == arg, arg == "latest":
			return f.Session, nil
		case arg != "" && len(f.Session) > len(arg) && f.Session[:len(arg)] == arg:
			found = append(found, f.Session)
		}
	}
	switch len(found) {
	case 0:
		if safe := schema.SafeID(arg); safe != arg { // an id as its agent wrote it
			return Find(j, safe)
		}
		return "", errcode.With(errcode.SessionNotFound, fmt.Errorf("no session %q is in this journal: ag-sessiond sessions lists them", arg))
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%q is the beginning of %d sessions, among them %s and %s: give more of it", arg, len(found), found[0], found[1])
}

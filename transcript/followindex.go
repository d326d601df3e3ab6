package transcript

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

const (
	indexEvery = time.Minute      // how often the index is written while files grow
	liveFor    = 15 * time.Minute // how long what is kept of a file is
	maxLives   = 256              // of more only what was used just now is kept
	manyFiles  = 100              // that wait: a tree is read for the first time
)

// keep does what is due now and then.
func (s *following) keep(ctx context.Context) {
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	written, busy := time.Now(), true
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return
		case now = <-tick.C:
		}
		s.queue.ripe(now)
		s.forget(now)
		s.Reader.kin.forget(now.Add(-liveFor))
		if now.Sub(written) >= indexEvery {
			written = now
			s.writeIndex()
		}
		waiting, behind := s.queue.waiting()
		s.health.Behind(behind)
		switch {
		case waiting > manyFiles:
			busy = true
		case busy && waiting == 0 && now.Sub(began) > indexEvery/6:
			busy = false
			debug.FreeOSMemory() // a daemon keeps for days what a start took for seconds
		}
	}
}

// forget drops what is kept of files that do not grow any more.
func (s *following) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := liveFor
	if len(s.lives) > maxLives {
		most = 5 * time.Second
	}
	for path, l := range s.lives {
		if now.Sub(l.used) > most {
			delete(s.lives, path)
		}
	}
}

// writeIndex brings what was learnt to the disk. What it lacks after a kill is looked up
// in the journal.
func (s *following) writeIndex() {
	s.mu.Lock()
	changed := make(map[string]entry, len(s.dirty))
	for path := range s.dirty {
		changed[path] = s.index[path]
	}
	clear(s.dirty)
	s.mu.Unlock()
	for path, e := range changed {
		changed[path] = s.seal(path, e)
	}
	if err := writeIndex(s.Reader.Journal, s.Reader.Host, changed); err != nil {
		s.Log.Warn().EmbedObject(logline.Why(failure.TranscriptIndex, err)).
			Msg("the index of transcripts cannot be written; the next start looks in the journal")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for path, e := range changed {
		if now := s.index[path]; now.Position == e.Position {
			s.index[path] = e
			if e.whole && e.modTime == 0 {
				s.dirty[path] = true // it is too fresh: once more
			}
		}
	}
}

// seal completes what is known of a file once its time is old enough to tell a later
// change by, and says how long its journal is by now.
func (s *following) seal(path string, e entry) entry {
	s.mu.Lock()
	at := s.own[path]
	s.mu.Unlock()
	info, err := os.Stat(path)
	if err == nil && e.whole && e.modTime == 0 && info.Size() == e.size && info.ModTime().UnixNano() == at && time.Since(info.ModTime()) > fresh {
		e.modTime = at
	}
	if e.held(s.Reader.Journal) { // another one has to be looked into
		e.seal(s.Reader.Journal)
	}
	return e
}

package source

import (
	"io/fs"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// fileState is what tells without reading it that a file was written to.
type fileState struct {
	size    int64
	modTime int64 // Unix nanoseconds
}

func stateOf(info fs.FileInfo) fileState {
	return fileState{info.Size(), info.ModTime().UnixNano()}
}

// recheck says when all of a file may be looked at again: one that somebody touches every
// second, and does not change, is looked at ever more seldom, and a large one seldom.
type recheck struct {
	next time.Time
	wait time.Duration
}

const maxRecheck = time.Minute

// took notes that to look took a while, and whether it was in vain.
func (c *recheck) took(d, least time.Duration, inVain bool) {
	if c.wait = min(2*c.wait, maxRecheck); !inVain {
		c.wait = 0
	}
	c.wait = max(c.wait, least)
	c.next = time.Now().Add(max(c.wait, noteShare*d))
}

// mayLook has a file wait for its turn to be looked at from its beginning.
func (s *following) mayLook(f *followed) bool {
	grew := !f.doc.many || f.info.Size() > f.doc.at
	if grew || f.info.ModTime().UnixNano() == f.doc.modTime || !time.Now().Before(f.again.next) {
		return true
	}
	f.due = f.again.next
	return false
}

// asItWas reports whether what was read of a file is there still, as far as can be seen
// without reading it: it begins as it did, and the same is in front of the position. Where
// it was written to and did not grow, as an editor does that repairs a line, all of it is read.
func (s *following) asItWas(f *followed) (bool, error) {
	now := stateOf(f.info)
	if now == (fileState{f.size, f.modTime}) && !f.suspect {
		return true, nil
	}
	if f.packed {
		return f.size == now.size, nil
	}
	if !f.whole {
		if f.at.Lines == 0 || now.size < f.at.Offset {
			return false, nil
		}
		if sum, err := sumAround(f.file, f.at.Offset); err != nil || sum != f.around {
			return false, err
		}
		if f.suspect = f.suspect || f.size == now.size; !f.suspect {
			return true, nil
		}
	}
	if time.Now().Before(f.again.next) {
		f.due = f.again.next
		return true, nil
	}
	if f.whole {
		return false, nil
	}
	began := time.Now()
	holds, err := f.at.Holds(f.file)
	f.again.took(time.Since(began), s.patience()/2, holds)
	if holds {
		f.suspect = false
	}
	return holds, err
}

// refuse says what is wrong with a document, once it is not being written any more.
func (s *following) refuse(f *followed, bad *badDocument) {
	if wait := s.patience() - time.Since(f.info.ModTime()); wait > 0 {
		f.due = time.Now().Add(wait)
		return
	}
	f.refused = stateOf(f.info)
	s.recovered(f)
	problem := Problem{Path: f.path, Line: bad.line, Error: bad.err.Error()}
	s.tell(wrong(failure.SourceDocument, f.path, problem.Line, problem.Error),
		"a file is one JSON value over many lines, and cannot be read; it is looked at again when it changes")
	s.health.Read(0, 0, 1, &problem, nil)
}

// waits says that the end of a document is missing, once nothing comes.
func (s *following) waits(f *followed) {
	s.recovered(f)
	if wait := s.patience() - time.Since(f.info.ModTime()); wait > 0 && !f.waiting {
		f.due = time.Now().Add(wait)
		return
	}
	if !f.waiting {
		f.waiting = true
		s.Log.Warn().EmbedObject(logline.Why(failure.SourceWaiting, nil)).Str("path", f.path).
			Msg("a file is one JSON value over many lines, and its end is missing; it is read once that is there")
	}
	s.health.Waits(f.path, true)
}

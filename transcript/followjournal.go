package transcript

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/schema"
)

// settledFor is how long after its last event a session need not be followed any more if its
// transcript is as it was when it was read: what goes on is announced anew.
const settledFor = 24 * time.Hour

// announcements reads in the journal which transcripts hooks name, and has them
// watched. changes are sessions of which something was appended.
func (s *following) announcements(ctx context.Context, changes <-chan []string, places chan<- []tail.Place) {
	var receiving sync.WaitGroup
	defer receiving.Wait()
	if !s.Announced {
		for { // whoever tells must not wait for us
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
		}
	}
	changed := set{wake: make(chan struct{}, 1), names: map[string]bool{}}
	receiving.Go(func() { // whoever tells must not wait for us: it tells stores, too
		for {
			select {
			case <-ctx.Done():
				return
			case sessions := <-changes:
				changed.add(sessions)
			}
		}
	})
	seen := map[string]int64{} // of each session's journal, how much was looked at
	buf := make([]byte, window)
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed.wake:
		}
		var all []tail.Place
		for _, session := range changed.take() {
			if ctx.Err() != nil {
				return // the first time it is every journal there is
			}
			all = append(all, s.announced(session, seen, buf)...)
		}
		if len(all) == 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case places <- all:
		}
	}
}

// set is what is waited for, each name once.
type set struct {
	wake  chan struct{}
	mu    sync.Mutex
	names map[string]bool
}

func (s *set) add(names []string) {
	s.mu.Lock()
	for _, n := range names {
		s.names[n] = true
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *set) take() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.names {
		names = append(names, n)
	}
	clear(s.names)
	return names
}

// announced returns what to watch for a session, by what was appended to its journal
// since it was looked at.
func (s *following) announced(session string, seen map[string]int64, buf []byte) []tail.Place {
	file, err := s.Reader.Journal.Stat(session)
	if err != nil {
		delete(seen, session) // it was removed, or there is no such session
		return nil
	}
	from, known := seen[session]
	if file.Size < from {
		from = 0
	}
	seen[session] = file.Size
	if path := s.mains[session]; !known && path != "" {
		switch { // in the beginning there may be thousands: of their journals little is read, if at all
		case !s.settled(path):
			return placesOf(path)
		case time.Since(file.ModTime) > settledFor:
			return nil
		}
		buf = buf[:firstLook]
	}
	content, err := s.Reader.Journal.Content(session)
	if err != nil {
		return nil
	}
	defer content.Close()
	path := lastAnnounced(content, from, file.Size, s.Reader.Host, buf)
	if path == "" || from == 0 && time.Since(file.ModTime) > settledFor && s.settled(path) {
		return nil
	}
	return placesOf(path)
}

// placesOf are a session's transcript, and where those of its agents appear.
func placesOf(path string) []tail.Place {
	return []tail.Place{{Path: path}, {Path: filepath.Join(strings.TrimSuffix(path, suffix), "subagents"), Folder: true}}
}

// mains are the sessions whose own transcript is in an index, and where that is.
func mains(index map[string]entry) map[string]string {
	mains := make(map[string]string, len(index))
	for path, e := range index {
		if filepath.Base(path) == e.session+suffix {
			mains[e.session] = path
		}
	}
	return mains
}

// settled reports whether a file is as it was when it was read, or is not there.
func (s *following) settled(path string) bool {
	file, err := Stat(path)
	if err != nil {
		return os.IsNotExist(err)
	}
	s.mu.Lock()
	e, ok := s.index[file.Path]
	s.mu.Unlock()
	return ok && e.unchanged(file) && s.held(e)
}

// window is how much of the end of what is new is looked at, at most: a hook's event is
// mostly a few kB, and the next one names the transcript again.
const window = 256 << 10

// firstLook is how much is looked at first.
const firstLook = 4 << 10

// lastAnnounced returns the transcript that the last hook event in a part of a session's
// journal names, "" where none does. It looks at as much of the end as buf holds.
func lastAnnounced(f io.ReaderAt, from, to int64, host string, buf []byte) string {
	most := min(to-from, int64(len(buf)))
	for size := min(firstLook, most); size > 0; size = min(size*16, most) {
		part := buf[:size]
		if n, _ := f.ReadAt(part, to-size); n < len(part) {
			return ""
		}
		if found := announcedIn(part, host); found != "" {
			return found
		}
		if size == most {
			break
		}
	}
	if most == to-from || from > 0 || len(buf) < window {
		return ""
	}
	// What is new is a whole journal, whose last events are those of a transcript: its first
	// event is a hook's, mostly.
	n, _ := f.ReadAt(buf[:64<<10], 0)
	return announcedIn(buf[:n], host)
}

// announcedIn looks for the last announcement in a piece of a journal.
func announcedIn(part []byte, host string) (path string) {
	key := []byte(`"transcript_path":`)
	for end := len(part); end > 0; {
		i := bytes.LastIndex(part[:end], key)
		if i < 0 {
			return ""
		}
		start := bytes.LastIndexByte(part[:i], '\n') + 1
		n := bytes.IndexByte(part[i:], '\n')
		if n > 0 {
			if path := announcement(part[start:i+n], host); path != "" {
				return path
			}
		}
		end = start
	}
	return ""
}

// announcement returns the transcript that an event names: of the runtime whose
// transcripts these are, on this machine, and a session's own. A payload must not be able to
// have any other file read.
func announcement(line []byte, host string) string {
	e, err := schema.Decode(line)
	if err != nil || e.Origin != schema.OriginHook || e.SourceSDK != sourceSDK || e.Host != "" && e.Host != host {
		return ""
	}
	path := schema.FieldString(e.Extra, "transcript_path")
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || filepath.Base(path) != e.SessionID+suffix || !schema.ValidID(e.SessionID) {
		return ""
	}
	return path
}

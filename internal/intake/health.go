package intake

import (
	"maps"
	"sync"
	"time"
)

// MaxUnknown bounds the names of kinds of lines that are counted: a file of garbage has a
// new one in each line.
const MaxUnknown = 100

// Health is how a follower is at one moment. Counts are since it began. Times are UTC.
type Health struct {
	Files   int   // that are followed
	Behind  int64 // bytes of them, not read yet
	Lines   int64 // read
	Events  int64 // appended
	Broken  int64 // lines
	ReadAt  time.Time
	Failing int // files that cannot be read now
	// Waiting are files that are one JSON value whose end is missing, WaitsFor one of them.
	Waiting  int
	WaitsFor string
	// LastError is what was wrong last with a file or line, also when that is over.
	LastError   string
	LastErrorAt time.Time
	Unknown     map[string]int64 // lines of kinds that this version does not know
	// Forgotten are sessions that files tell of and that were forgotten: nothing of them is appended.
	Forgotten int
}

// Tracker is what a follower knows about itself. Its zero value is that of one that begins.
type Tracker struct {
	mu      sync.Mutex
	now     Health          // but for Files and Failing
	files   map[string]bool // by path
	failing map[string]bool
	waiting map[string]bool
	gone    map[string]bool // sessions that were forgotten
}

// Health may be asked by any goroutine.
func (t *Tracker) Health() Health {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now
	now.Files, now.Failing, now.Waiting, now.Forgotten = len(t.files), len(t.failing), len(t.waiting), len(t.gone)
	for path := range t.waiting {
		if now.WaitsFor == "" || path < now.WaitsFor {
			now.WaitsFor = path
		}
	}
	now.Unknown = maps.Clone(now.Unknown)
	return now
}

// Follows notes a file.
func (t *Tracker) Follows(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files == nil {
		t.files = map[string]bool{}
	}
	t.files[path] = true
}

// Left notes that a file is gone.
func (t *Tracker) Left(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.files, path)
	delete(t.failing, path)
	delete(t.waiting, path)
}

// Waits notes that the end of a file's one value is missing, or is not any more.
func (t *Tracker) Waits(path string, waits bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !waits {
		delete(t.waiting, path)
		return
	}
	if t.waiting == nil {
		t.waiting = map[string]bool{}
	}
	t.waiting[path] = true
}

// Forgot notes that a file tells of a session that was forgotten.
func (t *Tracker) Forgot(session string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone == nil {
		t.gone = map[string]bool{}
	}
	t.gone[session] = true
}

// Behind notes how many bytes of all files are not read yet.
func (t *Tracker) Behind(bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Behind = bytes
}

// Failed notes that a file cannot be read, until Recovered.
func (t *Tracker) Failed(path string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failing == nil {
		t.failing = map[string]bool{}
	}
	t.failing[path] = true
	t.now.LastError, t.now.LastErrorAt = err.Error(), time.Now().UTC()
}

// Recovered notes that a file can be read.
func (t *Tracker) Recovered(path string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failing, path)
}

// Read counts what was read of a file. wrong, which may be nil, is the first of its lines
// that are broken. It returns the kinds in unknown that no file had before.
func (t *Tracker) Read(lines, events, broken int64, wrong *Problem, unknown map[string]int64) (kinds []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if lines > 0 {
		t.now.ReadAt = time.Now().UTC()
	}
	t.now.Lines, t.now.Events, t.now.Broken = t.now.Lines+lines, t.now.Events+events, t.now.Broken+broken
	if wrong != nil {
		t.now.LastError, t.now.LastErrorAt = wrong.String(), time.Now().UTC()
	}
	if t.now.Unknown == nil {
		t.now.Unknown = map[string]int64{}
	}
	for kind, n := range unknown {
		if t.now.Unknown[kind] == 0 {
			if len(t.now.Unknown) >= MaxUnknown {
				continue
			}
			kinds = append(kinds, kind)
		}
		t.now.Unknown[kind] += n
	}
	return kinds
}

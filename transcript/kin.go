package transcript

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/journal"
)

// kin knows how the transcripts of folders begin, so that those are found of which one
// may hold copies of the other's lines: they begin with the same line or answer. Each file's
// head is read once.
type kin struct {
	mu      sync.Mutex
	folders map[string]*folder
	read    map[string]map[string]pastFile // by folder and file name, what the index says
	kept    []*kept
}

// pastFile is a file that was read.
type pastFile struct {
	begins
	session string
}

type folder struct {
	mu     sync.Mutex
	listed time.Time // the folder's own time then; zero where it is to be listed again
	looked time.Time // when the files without an answer were
	heads  map[string]head
	alike  map[uint64][]string // file names by the first line, and by the answer, of their heads
	ends   compacted
	used   time.Time
}

// relative is another file of a family.
type relative struct {
	path string
	head
}

// of returns the files beside path, a session's own, that begin as it does, or that are gone
// and did, as far as it may have copied them: mayCopy. j has those that are gone.
func (k *kin) of(path string, h head, j *journal.Journal) []relative {
	if h.begins == (begins{}) {
		return nil
	}
	dir, self := filepath.Split(path)
	k.mu.Lock()
	d := k.folders[dir]
	if d == nil {
		if k.folders == nil {
			k.folders = map[string]*folder{}
		}
		d = &folder{heads: map[string]head{}, alike: map[uint64][]string{}}
		k.folders[dir] = d
	}
	read := k.read[dir]
	k.mu.Unlock()
	return d.others(dir, self, j, h, read)
}

// others returns the relatives of a file that begins with h: those that begin as it does,
// and where it is of a compacted session those that have the end of that compaction.
func (d *folder) others(dir, self string, j *journal.Journal, h head, read map[string]pastFile) (all []relative) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used = time.Now()
	d.set(self, h)
	d.look(dir, read)
	names := slices.Concat(d.alike[h.first], d.alike[h.answer])
	names = slices.DeleteFunc(names, func(name string) bool { return !d.heads[name].like(h.begins) })
	names = append(names, d.ends.files(h.compacted, dir, j, d.heads)...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if other := d.heads[name]; name != self && h.mayCopy(other) {
			all = append(all, relative{filepath.Join(dir, name), other})
		}
	}
	return all
}

// set notes the head of a file. What alike says of one that it had before is looked past.
func (d *folder) set(name string, h head) {
	was := d.heads[name]
	d.heads[name] = h
	if h.first != was.first {
		d.alike[h.first] = append(d.alike[h.first], name)
	}
	if h.answer != was.answer {
		d.alike[h.answer] = append(d.alike[h.answer], name)
	}
}

// look brings the heads up to date. What cannot be read is nobody's relative.
func (d *folder) look(dir string, read map[string]pastFile) {
	info, err := os.Stat(dir)
	if err != nil {
		return
	}
	listed := false
	if d.listed.IsZero() || !d.listed.Equal(info.ModTime()) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		listed, d.ends.looked = true, time.Time{}
		d.list(entries, read)
		if d.listed = info.ModTime(); time.Since(d.listed).Abs() < fresh {
			d.listed = time.Time{} // its clock may not tell the next file from the last one
		}
	}
	if !listed && time.Since(d.looked) < time.Second {
		return
	}
	d.looked = time.Now()
	for name, h := range d.heads {
		if h.answer != 0 || h.marked || h.vain || h.gone != "" {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		if err != nil {
			delete(d.heads, name)
			continue
		}
		if info.Size() > h.size {
			d.set(name, headOf(path))
		}
	}
}

// list takes down which files there are, and which of those that were read are not any more.
func (d *folder) list(entries []os.DirEntry, read map[string]pastFile) {
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		name := e.Name()
		if !e.Type().IsRegular() || !strings.HasSuffix(name, suffix) || strings.HasPrefix(name, "agent-") {
			continue
		}
		there[name] = true
		if h, known := d.heads[name]; !known || h.gone != "" {
			d.heads[name] = head{}
		}
	}
	for name, h := range d.heads {
		if !there[name] && h.gone == "" {
			h.gone, h.start = named(name), time.Time{}
			d.heads[name] = h
		}
	}
	for name, past := range read {
		if _, known := d.heads[name]; !known {
			d.set(name, head{begins: past.begins, gone: past.session})
		}
	}
}

// remember notes what an index says of the files that were read.
func (k *kin) remember(index map[string]entry) {
	read := map[string]map[string]pastFile{}
	for path, e := range index {
		if e.begins == (begins{}) {
			continue
		}
		dir, name := filepath.Split(path)
		if read[dir] == nil {
			read[dir] = map[string]pastFile{}
		}
		read[dir][name] = pastFile{e.begins, e.session}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read = read
}

// forget drops the folders that nobody asked for since a while.
func (k *kin) forget(since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = slices.DeleteFunc(k.kept, func(f *kept) bool { return f.used.Before(since) })
	for dir, d := range k.folders {
		d.mu.Lock()
		old := d.used.Before(since)
		d.mu.Unlock()
		if old {
			delete(k.folders, dir)
		}
	}
}

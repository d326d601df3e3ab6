package transcript

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
)

// A session that was resumed again and again has a file each time, with all that was before:
// if each read all the others, a hundred would be read ten thousand times. What the files of so
// large a family say is kept for the next one that asks, and read on where they grew.
const (
	largeFamily = 4       // relatives
	mostKept    = 1 << 18 // names, of 100 bytes or so, in all that is kept
)

// kept is a family that many files ask. Its first file and session are nobody's: who asks
// gets a view of it in which they are its own.
type kept struct {
	// These are kin's to lock.
	paths map[string]bool // of the members, as soon as they are to be
	names int
	used  time.Time

	mu sync.RWMutex
	family
	members map[string]member
}

// member is what was read of a file.
type member struct {
	file int32 // index of family's
	off  int64
	gone bool // it was its session's journal
}

// family returns what the relatives of the file say, and what to do when that is not used any
// more.
func (p *reading) family(h head, relatives []relative) (f *family, release func()) {
	if len(relatives) >= largeFamily {
		return p.large(h, relatives)
	}
	return p.small(h, relatives), func() {}
}

// small reads all the relatives.
func (p *reading) small(h head, relatives []relative) *family {
	f := newFamily(p.file.Path, p.file.Session, h)
	for _, other := range relatives {
		if other.gone != "" {
			p.unread(other, f.recorded(p.Journal, other))
		} else {
			p.unread(other, f.add(other))
		}
	}
	return f
}

// large is a view of what was kept of the relatives, and of the file itself: it had its
// own lines first. Nobody reads on while it is used.
func (p *reading) large(h head, relatives []relative) (f *family, release func()) {
	self := relative{p.file.Path, h}
	all := slices.Clone(relatives)
	if !h.marked { // as it is of no one else's
		all = append(all, self)
	}
	k := p.kin.keep(all)
	k.mu.Lock()
	failed := k.update(p.Journal, all)
	names := len(k.had)
	k.mu.Unlock()
	p.kin.bound(k, names)
	for _, other := range relatives {
		p.unread(other, failed[other.path])
	}
	k.mu.RLock()
	f = &family{files: slices.Clone(k.files), sessions: slices.Clone(k.sessions), had: k.had, events: k.events}
	f.files[0], f.sessions[0] = self, p.file.Session
	return f, k.mu.RUnlock
}

// unread says that a relative could not be read, unless it has gone since.
func (p *reading) unread(other relative, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.problem(0, fmt.Errorf("%s, which may have had lines of this file first: %w", other.path, err))
	}
}

// keep returns the family that has no other members than these.
func (k *kin) keep(all []relative) *kept {
	paths := make(map[string]bool, len(all))
	for _, one := range all {
		paths[one.path] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var best *kept
	for _, f := range k.kept {
		if f.within(paths) && (best == nil || len(f.paths) > len(best.paths)) {
			best = f
		}
	}
	if best == nil {
		best = &kept{}
		k.kept = append(k.kept, best)
	}
	best.paths, best.used = paths, time.Now()
	return best
}

// within reports whether no member is another file than these.
func (k *kept) within(paths map[string]bool) bool {
	for path := range k.paths {
		if !paths[path] {
			return false
		}
	}
	return true
}

// bound notes how many names a family has, and forgets those that nobody asked for the longest
// time where all have too many.
func (k *kin) bound(f *kept, names int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f.names = names
	slices.SortFunc(k.kept, func(a, b *kept) int { return b.used.Compare(a.used) })
	all := 0
	k.kept = slices.DeleteFunc(k.kept, func(f *kept) bool {
		all += f.names
		return all > mostKept
	})
}

// update reads what is new in the files of a family, and returns of which that failed.
func (k *kept) update(j *journal.Journal, all []relative) map[string]error {
	failed := map[string]error{}
	if k.changed(all) {
		k.family, k.members = *newFamily("", "", head{}), map[string]member{}
	}
	for _, one := range all {
		m, known := k.members[one.path]
		if !known {
			m = member{int32(len(k.files)), 0, one.gone != ""}
			if m.gone {
				if err := k.recorded(j, one); err != nil {
					failed[one.path] = err
					continue
				}
			} else {
				k.files = append(k.files, one)
			}
		}
		k.files[m.file].head = one.head
		if !m.gone {
			var err error
			if m.off, err = k.grown(one.path, m); err != nil {
				failed[one.path] = err
			}
		}
		k.members[one.path] = m
	}
	return failed
}

// changed reports whether a member is another file than it was, or gone.
func (k *kept) changed(all []relative) bool {
	for _, one := range all {
		m, known := k.members[one.path]
		if !known {
			continue
		}
		if m.gone != (one.gone != "") {
			return true
		}
		if info, err := os.Stat(one.path); !m.gone && (err != nil || info.Size() < m.off) {
			return true
		}
	}
	return k.members == nil
}

// grown takes the lines of a member from where it was read to.
func (k *kept) grown(path string, m member) (off int64, err error) {
	if info, err := os.Stat(path); err != nil || info.Size() == m.off {
		return m.off, err
	}
	f, _, err := lines.Open(path)
	if err != nil {
		return m.off, err
	}
	defer f.Close()
	l := lines.Peek(f)
	l.GoTo(m.off, 0)
	err = k.lines(l, m.file)
	return l.Offset(), err
}

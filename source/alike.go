package source

import (
	"cmp"
	"io"
	"os"
	"slices"

	"github.com/actiongraph/actiongraph/internal/lines"
)

// probeBytes is how much of a file is read in the time that it takes to look whether one
// position suits it.
const probeBytes = 4 << 10

// longest finds, of the positions of files that begin alike, the one that covers most of this
// file; nil where none suits it. Whatever their number, that takes no longer than to read
// the file once.
func (s *stream) longest(f *os.File, size int64, records []*record) (*record, error) {
	records = slices.DeleteFunc(slices.Clone(records), func(r *record) bool {
		return r.format != s.src.Format || r.Offset > size || r.Offset == 0
	})
	if int64(len(records))*probeBytes > size {
		return walk(f, records)
	}
	return probe(f, records)
}

// probe looks at one position after the other, the longest first.
func probe(f *os.File, records []*record) (*record, error) {
	slices.SortStableFunc(records, func(a, b *record) int { return cmp.Compare(b.Offset, a.Offset) })
	var tried lines.Position
	for _, rec := range records {
		if rec.Position == tried {
			continue
		}
		tried = rec.Position
		ok, err := rec.Ends(f)
		if ok && err == nil {
			ok, err = rec.Holds(f)
		}
		if ok || err != nil {
			return rec, err
		}
	}
	return nil, nil
}

// walk reads the file, and looks at each end of a line who ends there.
func walk(f *os.File, records []*record) (best *record, err error) {
	end, far := map[int64][]*record{}, int64(0)
	for _, rec := range records {
		end[rec.Offset] = append(end[rec.Offset], rec)
		far = max(far, rec.Offset)
	}
	l := lines.Peek(f)
	var all uint32
	for l.Offset() < far {
		line, err := l.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		all = lines.Sum(all, line)
		// A last line may have been read without the newline that it has now.
		for _, rec := range slices.Concat(end[l.Offset()-1], end[l.Offset()]) {
			if rec.Lines != l.Count() || rec.All != 0 && rec.All != max(all, 1) || best != nil && best.Offset == rec.Offset {
				continue
			}
			if p, err := l.Position(rec.First); err != nil {
				return nil, err
			} else if p.Sum == rec.Sum {
				best = rec
			}
		}
	}
	return best, nil
}

// alikeFiles are files that are followed and begin with the same line: each may be a copy of another.
type alikeFiles struct {
	files     []*followed
	positions positions
}

// identifyAlike is identify of a file of which others know up to where it was read, if it is a copy
// of one of them, also where that is in no position yet.
func (s *following) identifyAlike(f *followed) (known bool, err error) {
	beside := map[*record]*followed{}
	var among *alikeFiles
	f.patient, f.live, f.chosen = s.patience(), nil, nil
	f.beside = func(first uint64) error {
		if among = s.alike[first]; among == nil {
			among = &alikeFiles{}
			s.alike[first] = among
		}
		among.files = slices.DeleteFunc(among.files, func(o *followed) bool { return o.first != first || s.files[o.id] != o })
		for _, other := range among.files {
			if other != f && other.unnoted() {
				rec := other.record(other.at)
				beside[&rec] = other
				f.live = append(f.live, &rec)
			}
		}
		f.positions = &among.positions
		return nil
	}
	if known, err = f.stream.identify(f.file, f.info); err == nil && beside[f.chosen] != nil {
		err = beside[f.chosen].note() // what it covers is on the disk then
	}
	if among != nil {
		if !slices.Contains(among.files, f) {
			among.files = append(among.files, f)
		}
		if len(among.positions.found) < fewAlike {
			among.positions = positions{}
		}
	}
	f.live, f.positions, f.beside = nil, nil, nil
	return known, err
}

// apart forgets that a file begins as it did.
func (s *following) apart(f *followed) {
	if among := s.alike[f.first]; among != nil {
		among.files = slices.DeleteFunc(among.files, func(o *followed) bool { return o == f })
		if len(among.files) == 0 {
			delete(s.alike, f.first)
		}
	}
}

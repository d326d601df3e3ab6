package transcript

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/internal/intake"
)

// Skipped is what was passed over in all transcripts of a home, whoever read them.
type Skipped struct {
	Files  int   `json:"files"` // with something that was
	Broken int64 `json:"broken_lines"`
	// Unknown counts the lines of types that this version does not know.
	Unknown map[string]int64 `json:"unknown_kinds"`
}

// SkippedIn says what was passed over in the transcripts of a home, by its index of them: of
// files that are gone, too. Nothing where there is no index of this machine.
func SkippedIn(home, host string) Skipped {
	all := Skipped{Unknown: map[string]int64{}}
	for _, e := range readIndex(home, host) {
		if e.broken == 0 && len(e.unknown) == 0 {
			continue
		}
		all.Files++
		all.Broken += e.broken
		count(all.Unknown, e.unknown, intake.MaxUnknown)
	}
	return all
}

// skipped is that of one file.
type skipped struct {
	broken  int64
	unknown map[string]int64 // nil where there is none
}

// maxSkipped is how many types the index names of one file.
const maxSkipped = 20

// plus is what was passed over after one more reading.
func (s skipped) plus(r *FileReport) skipped {
	if r.Restart {
		s = skipped{}
	}
	s.broken += r.Broken
	if len(r.unknown) > 0 {
		s.unknown = maps.Clone(s.unknown)
		if s.unknown == nil {
			s.unknown = map[string]int64{}
		}
		count(s.unknown, r.unknown, maxSkipped)
	}
	return s
}

// count adds counts by name; past a bound new names are one. What there is most of is
// named first.
func count(all, more map[string]int64, most int) {
	for _, kind := range slices.SortedFunc(maps.Keys(more), func(a, b string) int { return cmp.Or(cmp.Compare(more[b], more[a]), cmp.Compare(a, b)) }) {
		name := kind
		if all[kind] == 0 && len(all) >= most {
			name = otherTypes
		}
		all[name] += more[kind]
	}
}

// append writes the counts as a field of the index: the lines that were broken, then a
// name and a number for each type.
func (s skipped) append(b []byte) []byte {
	b = strconv.AppendInt(b, s.broken, 10)
	for _, kind := range slices.Sorted(maps.Keys(s.unknown)) {
		b = strconv.AppendInt(append(append(append(b, ','), kind...), '='), s.unknown[kind], 10)
	}
	return b
}

func parseSkipped(field string) (s skipped, err error) {
	first, rest, more := strings.Cut(field, ",")
	if s.broken, err = strconv.ParseInt(first, 10, 64); err != nil || !more {
		return s, err
	}
	s.unknown = map[string]int64{}
	for part := range strings.SplitSeq(rest, ",") {
		kind, number, _ := strings.Cut(part, "=")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return s, err
		}
		s.unknown[kind] += n
	}
	return s, nil
}

// otherTypes is what more of them, and what cannot be a name, are counted as.
const otherTypes = "other types"

// name is what a type that this version does not know is called in reports and logs. It
// comes from the file, as a secret may.
func (p *reading) name(kind string) string {
	if kind == "" {
		return "no type"
	}
	for _, c := range kind {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/", c) {
			return otherTypes
		}
	}
	_, known := p.report.unknown[kind]
	if len(kind) > 64 || !known && len(p.report.unknown) >= intake.MaxUnknown {
		return otherTypes
	}
	if !known && p.Redactor != nil {
		if text, _ := p.Redactor.Text(kind); text != kind {
			return otherTypes
		}
	}
	return kind
}

package source

import (
	"hash/maphash"

	"github.com/actiongraph/actiongraph/redact"
)

// told are the facts that documents said since the Follower began, by the hash of what is in
// the journal. A program that writes its list anew with each event would fill the journal with
// the square of it: what was in the list before is not appended again.
type told struct {
	seed  maphash.Seed
	facts map[uint64]struct{}
}

// maxTold is how many there are at most: then they are forgotten, and said once more. It takes 5 MB.
const maxTold = 1 << 18

// without leaves out what was said before.
func (t *told) without(out []redact.Line) []redact.Line {
	if t == nil || len(t.facts) == 0 {
		return out
	}
	kept := out[:0]
	for _, line := range out {
		if _, known := t.facts[maphash.Bytes(t.seed, line.Bytes())]; !known {
			kept = append(kept, line)
		}
	}
	return kept
}

// add notes what was appended.
func (t *told) add(out []redact.Line) {
	if t == nil {
		return
	}
	if t.facts == nil || len(t.facts)+len(out) > maxTold {
		t.seed, t.facts = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	for _, line := range out {
		if _, out := line.LeftOut(); out {
			continue // all of them have the same bytes
		}
		t.facts[maphash.Bytes(t.seed, line.Bytes())] = struct{}{}
	}
}

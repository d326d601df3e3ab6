package graph

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"
)

// lineLag is how much later than its hook a line of another group may be: it waits for
// the hooks.
const lineLag = int64(time.Minute)

// queueLag is how far apart a hook and the line of a prompt that was queued may be: the
// terminal calls the hook when it is typed, others when the agent takes it up, and a turn
// may take long.
const queueLag = int64(24 * time.Hour)

// sameText is the groups of prompts of one lane and text, and what is left in them: hooks
// without a line and lines without a hook. Each hook, in the order of time, takes the
// earliest line near it. What is further apart than a line may be from its hook does not
// meet, so that a change is felt by its neighbours only.
type sameText struct {
	groups             []*claimGroup
	hasHooks, hasLines bool
	hasQueued          bool       // one of the lines is that of a prompt that was queued
	built              bool       // the rest is kept: until there are both it is nobody's concern
	hooks, lines       []leftover // sorted
}

// leftover is a hook, by the first time it was received, or a line, as it was.
type leftover struct {
	at, seq int64
	id      uint64
	of      *claimGroup
	line    *lineFact
	queued  bool
}

// near reports whether the hook h and the line l may be one prompt.
func (l leftover) near(h leftover) bool {
	if l.queued {
		return l.at-h.at <= queueLag && h.at-l.at <= queueLag
	}
	return l.at-h.at <= lineLag && h.at-l.at <= lineLead
}

// loan is a line of another group that a hook has, as it was lent.
type loan struct {
	line      *lineFact
	time, seq int64
	queued    bool
}

// when is that of the line, as it was.
func (l loan) when(hook int64) when {
	return (&lineFact{time: l.time, seq: l.seq, queued: l.queued}).when(hook)
}

func compareLeftovers(a, b leftover) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq), cmp.Compare(a.id, b.id), slices.Compare(a.of.key[:], b.of.key[:]),
		falseFirst(a.queued, b.queued))
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// leftovers returns the hooks of g without a line and its lines without a hook, sorted.
func (g *claimGroup) leftovers() (left []leftover) {
	for _, p := range g.pairs() {
		switch {
		case p.line == nil:
			left = append(left, leftover{at: g.hooks[p.hook].first, of: g})
		case p.hook < 0:
			left = append(left, leftover{p.line.time, p.line.seq, p.line.id, g, p.line, p.line.queued})
		}
	}
	slices.SortFunc(left, compareLeftovers)
	return left
}

// lend pairs what is left in the groups of one text after the given ones changed. It
// returns the groups that lend or borrow otherwise than before.
func (t *sameText) lend(groups []*claimGroup) (changed []*claimGroup) {
	if !t.hasHooks || !t.hasLines {
		return nil
	}
	if !t.built {
		t.built = true
		groups = t.groups
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for k, g := range groups {
		if k > 0 && g == groups[0] {
			continue
		}
		now := g.leftovers()
		for _, l := range differing(g.left, now) {
			first, last = min(first, l.at), max(last, l.at)
			left := &t.hooks
			if l.line != nil {
				left = &t.lines
			}
			k, found := slices.BinarySearchFunc(*left, l, compareLeftovers)
			if !found {
				*left = slices.Insert(*left, k, l)
				continue
			}
			*left = slices.Delete(*left, k, k+1)
			if l.line == nil {
				delete(g.loans, l.at)
			} else {
				l.line.lent = false
			}
		}
		g.left = now
	}
	if first > last {
		return nil
	}
	return match(t.near(first, last))
}

// differing returns what is in one of two sorted lists only, what is in a first.
func differing(a, b []leftover) (out []leftover) {
	for _, l := range a {
		if _, ok := slices.BinarySearchFunc(b, l, compareLeftovers); !ok {
			out = append(out, l)
		}
	}
	for _, l := range b {
		if _, ok := slices.BinarySearchFunc(a, l, compareLeftovers); !ok {
			out = append(out, l)
		}
	}
	return out
}

// within returns those of sorted leftovers from first to last.
func within(left []leftover, first, last int64) []leftover {
	from := sort.Search(len(left), func(k int) bool { return left[k].at >= first })
	end := sort.Search(len(left), func(k int) bool { return left[k].at > last })
	return left[from:max(from, end)]
}

// near returns the hooks that something left from first to last may meet, the lines that
// these may have, the hooks that may have those, and so on: nobody else is concerned.
func (t *sameText) near(first, last int64) (hooks, lines []leftover) {
	lead, lag := lineLead, lineLag
	if t.hasQueued {
		lead, lag = queueLag, queueLag
	}
	hooks = within(t.hooks, first-lag, last+lead)
	for {
		if n := len(hooks); n > 0 {
			first, last = min(first, hooks[0].at), max(last, hooks[n-1].at)
		}
		lines = within(t.lines, first-lead, last+lag)
		n := len(lines)
		if n == 0 {
			return hooks, nil
		}
		more := within(t.hooks, min(first, lines[0].at-lag), max(last, lines[n-1].at+lead))
		if len(more) == len(hooks) {
			return hooks, lines
		}
		hooks = more
	}
}

// notBefore leaves out the lines before the hook h that are not near it.
func notBefore(lines []leftover, h leftover) []leftover {
	for len(lines) > 0 && lines[0].at < h.at && !lines[0].near(h) {
		lines = lines[1:]
	}
	return lines
}

// match gives each hook, in the order of time, the earliest line near it, and returns the
// groups that lend or borrow otherwise than before.
func match(hooks, lines []leftover) (changed []*claimGroup) {
	lent := map[*lineFact]bool{}
	note := func(g *claimGroup) {
		if !slices.Contains(changed, g) {
			changed = append(changed, g)
		}
	}
	// Two lists, each with one distance for all of it: what is at its front and before a hook
	// that it is not near is near no later one, so that each is gone through once.
	var plain, queued []leftover
	for _, l := range lines {
		if l.queued {
			queued = append(queued, l)
		} else {
			plain = append(plain, l)
		}
	}
	for _, h := range hooks {
		var now loan
		plain, queued = notBefore(plain, h), notBefore(queued, h)
		from := &plain
		if len(queued) > 0 && (len(plain) == 0 || !plain[0].near(h) || compareLeftovers(queued[0], plain[0]) < 0) {
			from = &queued
		}
		if left := *from; len(left) > 0 && left[0].near(h) {
			l := left[0]
			*from, lent[l.line] = left[1:], true
			now = loan{l.line, l.at, l.seq, l.queued}
		}
		if h.of.loans[h.at] == now {
			continue
		}
		note(h.of)
		if now.line == nil {
			delete(h.of.loans, h.at)
			continue
		}
		if h.of.loans == nil {
			h.of.loans = map[int64]loan{}
		}
		h.of.loans[h.at] = now
	}
	for _, l := range lines {
		if l.line.lent != lent[l.line] {
			l.line.lent = lent[l.line]
			note(l.of)
		}
	}
	return changed
}

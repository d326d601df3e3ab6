package graph

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ProfileFilter selects tool calls for profiles; zero fields select all.
type ProfileFilter struct {
	Tool, Session string
	Since, Until  time.Time // of the call's timestamp; Until is not inclusive
	// Now is the end of this week: weeks are the seven days before it, the seven before
	// those, and so on. What is later counts as this week's. Zero makes no weeks.
	Now     time.Time
	Slowest int // how many of the slowest calls are listed
}

// ToolProfile is how long the calls of one tool took. Percentiles are exact, of durations
// that were seen (nearest rank); of calls without a duration only the numbers tell.
type ToolProfile struct {
	ToolName string `json:"tool_name"`
	DurationProfile
	Histogram []DurationBucket `json:"histogram"` // without gaps, the shortest first
	Weeks     []ProfileWeek    `json:"weeks"`     // the latest first; those without calls are left out
	// Degrading says that this week's calls took longer than those of the four weeks
	// before: the median or p90 is half as long again and 5 ms more, of ten calls with a
	// duration or more on both sides. Before are the four weeks.
	Degrading bool             `json:"degrading"`
	Before    *DurationProfile `json:"before,omitempty"`
	Slowest   []ActionRow      `json:"slowest"` // without content; the earlier of two alike first
}

// DurationProfile is how long some calls took, in milliseconds; nil where none says.
type DurationProfile struct {
	Count  int64    `json:"count"`
	Failed int64    `json:"failed_count"`
	Timed  int64    `json:"timed_count"` // calls with a duration, of 0 to 1e12 ms
	P50MS  *float64 `json:"p50_ms,omitempty"`
	P90MS  *float64 `json:"p90_ms,omitempty"`
	P99MS  *float64 `json:"p99_ms,omitempty"`
	MaxMS  *float64 `json:"max_ms,omitempty"`
}

// DurationBucket counts the calls that took from FromMS up to, but not, ToMS. The bounds
// are 0, 1, 2, 5, 10, 20, 50 and so on.
type DurationBucket struct {
	FromMS float64 `json:"from_ms"`
	ToMS   float64 `json:"to_ms"`
	Count  int64   `json:"count"`
}

// ProfileWeek is the seven days from Start.
type ProfileWeek struct {
	Start time.Time `json:"start"`
	DurationProfile
}

const (
	week = 7 * 24 * time.Hour
	// weeksBefore is what this week is held against, enough how many calls that takes.
	weeksBefore   = 4
	enough        = 10
	slower        = 1.5
	slowerAtLeast = 5    // ms
	longest       = 1e12 // ms; what is more is no duration that was measured
)

// Profiler makes profiles of calls. A call's name K is what a store finds it by.
type Profiler[K any] struct {
	filter ProfileFilter
	tools  map[string]*toolTimes[K]
}

// TimedCall is one tool call.
type TimedCall[K any] struct {
	Tool       string
	At         time.Time
	DurationMS *float64
	Failed     bool
	Name       K
	Key        func() string // its action_id, asked for among the slowest only
}

type toolTimes[K any] struct {
	weeks   map[int64]*times // by how many weeks ago; never is of calls without a time
	slowest []slowCall[K]
}

const never = math.MinInt64

type slowCall[K any] struct {
	ms   float64
	at   time.Time
	key  string
	name K
}

type times struct {
	count, failed int64
	durations     []float64
}

// NewProfiler returns a profiler of nothing yet.
func NewProfiler[K any](f ProfileFilter) *Profiler[K] {
	return &Profiler[K]{f, map[string]*toolTimes[K]{}}
}

// Add counts a call that passes the filter.
func (p *Profiler[K]) Add(c TimedCall[K]) {
	t := p.tools[c.Tool]
	if t == nil {
		t = &toolTimes[K]{weeks: map[int64]*times{}}
		p.tools[c.Tool] = t
	}
	ago := int64(never)
	if !c.At.IsZero() && !p.filter.Now.IsZero() {
		ago = max(0, int64(p.filter.Now.Sub(c.At)/week))
	}
	w := t.weeks[ago]
	if w == nil {
		w = &times{}
		t.weeks[ago] = w
	}
	w.count++
	if c.Failed {
		w.failed++
	}
	if c.DurationMS != nil && *c.DurationMS >= 0 && *c.DurationMS <= longest {
		w.durations = append(w.durations, *c.DurationMS)
		t.addSlow(p.filter.Slowest, c)
	}
}

// addSlow keeps the n slowest, the slowest first.
func (t *toolTimes[K]) addSlow(n int, c TimedCall[K]) {
	if len(t.slowest) >= n && (n == 0 || *c.DurationMS < t.slowest[n-1].ms) {
		return
	}
	s := slowCall[K]{*c.DurationMS, c.At, c.Key(), c.Name}
	at, _ := slices.BinarySearchFunc(t.slowest, s, func(a, b slowCall[K]) int {
		return cmp.Or(cmp.Compare(b.ms, a.ms), a.at.Compare(b.at), cmp.Compare(a.key, b.key))
	})
	if t.slowest = slices.Insert(t.slowest, at, s); len(t.slowest) > n {
		t.slowest = t.slowest[:n]
	}
}

// Profiles gives the profile of each tool, most used first, then by name. rows reads the
// slowest calls by their names, in that order.
func (p *Profiler[K]) Profiles(rows func([]K) ([]ActionRow, error)) (out []ToolProfile, err error) {
	for tool, t := range p.tools {
		all, before := &times{}, &times{}
		r := ToolProfile{ToolName: tool}
		for ago, w := range t.weeks {
			all.add(w)
			if ago >= 1 && ago <= weeksBefore {
				before.add(w)
			}
			if ago != never {
				r.Weeks = append(r.Weeks, ProfileWeek{p.filter.Now.Add(-time.Duration(ago+1) * week), w.profile()})
			}
		}
		slices.SortFunc(r.Weeks, func(a, b ProfileWeek) int { return b.Start.Compare(a.Start) })
		r.DurationProfile, r.Histogram = all.profile(), histogram(all.durations)
		if before.count > 0 {
			b := before.profile()
			r.Before = &b
			if now := t.weeks[0]; now != nil {
				r.Degrading = now.profile().degraded(b)
			}
		}
		if len(t.slowest) > 0 {
			names := make([]K, len(t.slowest))
			for i, s := range t.slowest {
				names[i] = s.name
			}
			if r.Slowest, err = rows(names); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b ToolProfile) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.ToolName, b.ToolName))
	})
	return out, nil
}

func (t *times) add(w *times) {
	t.count += w.count
	t.failed += w.failed
	t.durations = append(t.durations, w.durations...)
}

func (t *times) profile() DurationProfile {
	d := t.durations
	p := DurationProfile{Count: t.count, Failed: t.failed, Timed: int64(len(d))}
	if len(d) == 0 {
		return p
	}
	slices.Sort(d)
	rank := func(percent int) *float64 { v := d[(percent*len(d)+99)/100-1]; return &v }
	p.P50MS, p.P90MS, p.P99MS, p.MaxMS = rank(50), rank(90), rank(99), rank(100)
	return p
}

func (p DurationProfile) degraded(before DurationProfile) bool {
	if p.Timed < enough || before.Timed < enough {
		return false
	}
	longer := func(now, was *float64) bool { return *now >= slower**was && *now-*was >= slowerAtLeast }
	return longer(p.P50MS, before.P50MS) || longer(p.P90MS, before.P90MS)
}

// histogram counts sorted durations.
func histogram(sorted []float64) (out []DurationBucket) {
	from, to, step := 0.0, 1.0, 0
	for len(sorted) > 0 {
		n := 0
		for n < len(sorted) && sorted[n] < to {
			n++
		}
		if n > 0 || len(out) > 0 {
			out = append(out, DurationBucket{from, to, int64(n)})
		}
		sorted = sorted[n:]
		from, to = to, to*[]float64{2, 2.5, 2}[step%3]
		step++
	}
	return out
}

package secrets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// collector gathers what the goroutines of a scan find.
type collector struct {
	mu       sync.Mutex
	found    map[Finding]int
	unreads  []string
	progress func(done, total int64)
	bytes    int64
	total    int64
	sessions int
}

// add counts a finding: many events of a session may repeat one secret in one field.
func (c *collector) add(f Finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found[f]++
}

func (c *collector) done(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes += n; c.progress != nil {
		c.progress(c.bytes, c.total)
	}
}

func (c *collector) unread(what string, err error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, fs.ErrNotExist) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreads = append(c.unreads, fmt.Sprintf("%s: %v", what, err))
}

func (c *collector) report() Report {
	r := Report{Findings: []Finding{}, Apart: []Finding{}, Unread: []string{}, Bytes: c.bytes, Sessions: c.sessions}
	r.Unread = append(r.Unread, c.unreads...)
	slices.Sort(r.Unread)
	named := map[string]bool{} // by a place that says more than that it is in a file
	for f := range c.found {
		named[f.Fingerprint] = named[f.Fingerprint] || f.Field != rawField
	}
	merged := map[Finding]*Finding{}
	for f, n := range c.found {
		if f.Field == rawField && named[f.Fingerprint] {
			continue
		}
		key := f
		key.Event, key.Line = "", 0
		if m := merged[key]; m == nil {
			f.Count = n
			merged[key] = &f
		} else {
			m.Count += n
			m.Event, m.Line = min(m.Event, f.Event), min(m.Line, f.Line)
		}
	}
	for _, f := range merged {
		if ownFile(f.Where) {
			r.Apart = append(r.Apart, *f)
		} else {
			r.Findings = append(r.Findings, *f)
		}
	}
	order := func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Where, b.Where), strings.Compare(a.Session, b.Session), strings.Compare(a.Field, b.Field), strings.Compare(a.Fingerprint, b.Fingerprint))
	}
	slices.SortFunc(r.Findings, order)
	slices.SortFunc(r.Apart, order)
	return r
}

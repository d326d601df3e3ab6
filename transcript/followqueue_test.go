package transcript

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func takeAll(q *queue, which int) (paths string) {
	for {
		j := q.take(which)
		if j == nil {
			return paths
		}
		paths += j.file.Path
		q.done(j.file.Path)
	}
}

// TestQueueOrder: the latest first, a file once, large ones apart, and none twice at once.
func TestQueueOrder(t *testing.T) {
	q := newQueue()
	put := func(path string, behind int64) { q.put(&job{file: File{Path: path}, behind: behind}) }
	for _, path := range []string{"a", "b", "c", "a"} {
		put(path, 1)
	}
	put("L", largeBytes+1)
	put("c", largeBytes+1) // it grew
	if files, bytes := q.waiting(); files != 4 || bytes != 2+2*(largeBytes+1) {
		t.Errorf("%d files, %d bytes wait", files, bytes)
	}
	if got := takeAll(q, small) + " " + takeAll(q, large); got != "ab cL" {
		t.Errorf("got %s", got)
	}
	put("a", 1)
	j := q.take(small)
	put("a", 1)
	put("b", 1)
	if got := takeAll(q, small); got != "b" {
		t.Errorf("while a is being read: %q", got)
	}
	q.done(j.file.Path)
	if got := takeAll(q, small); got != "a" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestQueueDelays(t *testing.T) {
	q := newQueue()
	now := time.Now()
	first := now.Add(-time.Minute)
	q.put(&job{file: File{Path: "a"}, due: now.Add(time.Hour), since: first})
	q.put(&job{file: File{Path: "b"}, meta: true, due: now.Add(time.Hour)})
	if got := takeAll(q, small); got != "" {
		t.Errorf("too early: %q", got)
	}
	q.put(&job{file: File{Path: "b"}}) // something is new in it: not the record alone
	if j := q.take(small); j == nil || j.meta {
		t.Errorf("%+v", j)
	}
	q.done("b")
	q.ripe(now.Add(2 * time.Hour))
	if j := q.take(small); j == nil || j.file.Path != "a" || !j.since.Equal(first) {
		t.Errorf("%+v", j)
	}
	if len(q.delayed) != 0 {
		t.Errorf("%d are still delayed", len(q.delayed))
	}
}

// TestQueueIsBounded: files that change all the time while nobody reads take no memory.
func TestQueueIsBounded(t *testing.T) {
	q, want := newQueue(), map[string]bool{}
	for range 10_000 {
		path := fmt.Sprint(rand.IntN(50))
		want[path] = true
		q.put(&job{file: File{Path: path}, behind: rand.Int64N(2 * largeBytes)})
	}
	if n := len(q.stacks[small]) + len(q.stacks[large]); n > 1000 {
		t.Errorf("%d jobs of 50 files are held", n)
	}
	for _, which := range []int{small, large} {
		for j := q.take(which); j != nil; j = q.take(which) {
			if !want[j.file.Path] {
				t.Errorf("%s comes twice", j.file.Path)
			}
			delete(want, j.file.Path)
			q.done(j.file.Path)
		}
	}
	if len(want) > 0 {
		t.Errorf("%d files never come", len(want))
	}
}

package transcript

import (
	"slices"
	"sync"
	"time"
)

// job is a file of which something is new, or may be.
type job struct {
	file   File
	behind int64 // bytes that are not read yet
	meta   bool  // only the agent's record is to be read
	due    time.Time
	since  time.Time // when it was first put off, as a fork may be that is still being copied
	gone   bool      // a later job of the same file took its place
}

// queue holds what is to be read, each file at most once. The latest comes first: a session
// that goes on does not wait for the ten thousand that ended. Large files wait in a
// line of their own, so that no small one waits for the end of a large one.
type queue struct {
	mu      sync.Mutex
	jobs    map[string]*job // by path, those that wait
	stacks  [2][]*job
	delayed []*job
	busy    map[string]*job
	wake    [2]chan struct{}
}

// largeBytes is from where on a file is large: more takes longer than somebody who looks
// at a live session should have to wait.
const largeBytes = 1 << 20

const (
	small = iota
	large
)

func newQueue() *queue {
	return &queue{jobs: map[string]*job{}, busy: map[string]*job{},
		wake: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}}
}

// put adds a job, to be done when it is due.
func (q *queue) put(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if old := q.jobs[j.file.Path]; old != nil {
		old.gone = true
		j.meta = j.meta && old.meta
		if j.since.IsZero() {
			j.since = old.since
		}
	}
	q.jobs[j.file.Path] = j
	if time.Now().Before(j.due) {
		q.delayed = append(q.delayed, j)
		return
	}
	q.push(j)
}

func (q *queue) push(j *job) {
	which := small
	if j.behind > largeBytes {
		which = large
	}
	if len(q.stacks[which]) > 2*len(q.jobs)+16 {
		q.stacks[which] = slices.DeleteFunc(q.stacks[which], func(j *job) bool { return j.gone })
	}
	q.stacks[which] = append(q.stacks[which], j)
	q.call(which)
}

func (q *queue) call(which int) {
	select {
	case q.wake[which] <- struct{}{}:
	default:
	}
}

// ripe moves what is due to the others.
func (q *queue) ripe(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delayed = slices.DeleteFunc(q.delayed, func(j *job) bool {
		if !j.gone && now.Before(j.due) {
			return false
		}
		if !j.gone {
			q.push(j)
		}
		return true
	})
}

// take returns the latest job whose file nobody reads, or nil.
func (q *queue) take(which int) *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	stack := q.stacks[which]
	for i := len(stack) - 1; i >= 0; i-- {
		j := stack[i]
		if !j.gone && q.busy[j.file.Path] != nil {
			continue
		}
		stack = slices.Delete(stack, i, i+1)
		if q.stacks[which] = stack; !j.gone {
			delete(q.jobs, j.file.Path)
			q.busy[j.file.Path] = j
			return j
		}
	}
	return nil
}

// done says that nobody reads a file any more.
func (q *queue) done(path string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.busy, path)
	q.call(small)
	q.call(large)
}

// waiting returns how many files wait or are being read, and how much of them is to be
// read.
func (q *queue) waiting() (files int, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, jobs := range []map[string]*job{q.jobs, q.busy} {
		for _, j := range jobs {
			bytes += j.behind
		}
	}
	return len(q.jobs) + len(q.busy), bytes
}

// advance notes how much of a job was done.
func (q *queue) advance(j *job, bytes int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.behind = max(0, j.behind-bytes)
}

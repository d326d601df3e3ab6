package source

import (
	"context"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/tail"
)

const (
	sliceBytes = 4 << 20          // of one file, then it is the next one's turn
	quiet      = time.Second      // after which a file is said to be quiet
	noteEvery  = time.Minute      // how often the position of a file that grows is written
	noteSoon   = 10 * time.Second // likewise of one that grew by noteMuch
	noteMuch   = 1 << 20          // bytes
	noteShare  = 20               // writing positions takes no more than one part in so many of the time
	openFor    = 15 * time.Minute // how long a file is kept open that does not grow
	orphanFor  = time.Minute      // likewise one that has no name any more
	maxOpen    = 256
	nameAgain  = 10 * time.Minute // what is watched is named again: it may not be there yet
)

// following is one Run.
type following struct {
	*Follower
	list    *watchlist
	started time.Time
	files   map[fileID]*followed
	paths   map[string]fileID
	queue   []*followed
	notedAt time.Time     // when positions were last written, and
	noting  time.Duration // how long that took
	// begun is, of each Spec, the time of the oldest file that was rotated and had been begun.
	begun map[*watched]time.Time
	alike map[uint64]*alikeFiles // by their first line
	told  told                   // by documents
}

// fileID tells files apart, whatever they are called.
type fileID struct {
	dev, inode uint64
	path       string // where the system has no other identity
}

func identity(path string, info os.FileInfo) fileID {
	dev, inode := idOf(info)
	if inode == 0 {
		return fileID{path: path}
	}
	return fileID{dev: dev, inode: inode}
}

// Run follows until ctx ends; changes are received and ignored. What was read is in the
// journal then, and up to where.
func (f *Follower) Run(ctx context.Context, changes <-chan []string) {
	s := &following{Follower: f, list: newWatchlist(f.Specs), started: time.Now(), files: map[fileID]*followed{}, paths: map[string]fileID{}, begun: map[*watched]time.Time{}, alike: map[uint64]*alikeFiles{}}
	for _, path := range s.list.homes {
		f.Log.Warn().EmbedObject(logline.Why(failure.SourceHome, nil)).Str("path", path).
			Msg("this is in a home of actiongraph, which records itself already: it is not followed; name another folder")
	}
	for _, path := range s.list.pipes() {
		f.Log.Warn().EmbedObject(logline.Why(failure.SourcePipe, nil)).Str("path", path).
			Msg("this is a pipe or a device, which cannot be read twice: it is not followed; ag-sessiond import reads it until it ends")
	}
	places, reports := make(chan []tail.Place), make(chan []string)
	tree := f.tail
	tree.Log, tree.Want, tree.Enter = f.Log, s.list.wants, s.list.enters
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { tree.Run(ctx, places, reports) })
	running.Go(func() { s.name(ctx, places) })
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
		}
	})
	s.loop(ctx, reports)
	s.end()
}

// name has what is followed watched, and not forgotten while it is not there.
func (s *following) name(ctx context.Context, places chan<- []tail.Place) {
	again := time.NewTicker(nameAgain)
	defer again.Stop()
	for {
		select {
		case places <- s.list.places():
		case <-ctx.Done():
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// loop takes in what is reported and reads one piece of one file after the other, so that a
// large one keeps none waiting.
func (s *following) loop(ctx context.Context, reports <-chan []string) {
	every := quiet
	if s.quick {
		every = 10 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	ready := make(chan struct{})
	close(ready) // it is received from at once
	for {
		var next <-chan struct{}
		if len(s.queue) > 0 {
			next = ready
		}
		select {
		case <-ctx.Done():
			return
		case paths := <-reports:
			for _, path := range paths {
				s.changed(path)
			}
		case now := <-tick.C:
			s.tick(now)
		case <-next:
			f := s.queue[0]
			s.queue = s.queue[1:]
			f.queued = false
			s.read(ctx, f)
		}
	}
}

func (s *following) put(f *followed) {
	if !f.queued {
		f.queued = true
		s.queue = append(s.queue, f)
	}
}

// changed looks at what a path leads to now.
func (s *following) changed(path string) {
	info, err := os.Stat(path)
	was, known := s.paths[path]
	if err != nil || !info.Mode().IsRegular() {
		if f := s.files[was]; known && (os.IsNotExist(err) || err == nil) {
			s.leave(path, f)
		} else if err != nil && !os.IsNotExist(err) {
			s.health.Failed(path, err)
		}
		return
	}
	id := identity(path, info)
	if known && id != was {
		s.leave(path, s.files[was])
	}
	f := s.files[id]
	if f == nil {
		if f = s.begin(path, id); f == nil {
			return
		}
		s.files[id] = f
	}
	if !f.paths[path] {
		f.paths[path] = true
		f.path = path
	}
	s.paths[path] = id
	if !f.ignored {
		s.follows(path, f)
	}
	s.put(f)
}

// leave notes that a path does not lead to a file any more. It may have another one, or
// nothing of it may be left but what is open.
func (s *following) leave(path string, f *followed) {
	delete(s.paths, path)
	s.health.Left(path)
	if f == nil {
		return
	}
	delete(f.paths, path)
	for other := range f.paths {
		f.path = other
	}
	if len(f.paths) == 0 {
		f.orphaned = time.Now()
	}
	s.put(f)
}

// tick does what is due now and then.
func (s *following) tick(now time.Time) {
	behind, open := int64(0), 0
	var settled []*followed
	for id, f := range s.files {
		behind += f.behind()
		if len(settled) < maxNotes && s.settled(f, now) {
			settled = append(settled, f)
		}
		if f.file != nil {
			open++
		}
		switch {
		case f.queued:
		case !f.due.IsZero() && now.After(f.due):
			s.put(f)
		case len(f.paths) == 0 && f.file != nil && now.Sub(f.grew) < orphanFor:
			s.put(f) // whoever wrote it may not know that it is renamed
		case len(f.paths) == 0:
			s.note(f)
			f.close()
			s.health.Recovered(f.path)
			s.apart(f)
			delete(s.files, id)
		}
		if f.file != nil && !f.queued && now.Sub(f.grew) > openFor {
			f.close()
		}
	}
	s.note(settled...)
	s.health.Behind(behind)
	if open > maxOpen {
		s.closeOldest(open - maxOpen)
	}
}

// maxNotes is how many positions are written at a time: what is new waits meanwhile.
const maxNotes = 64

// settled reports whether the position of a file is to be written: it is quiet, or it grows
// and it is long ago. Where what it covers takes long to get to the disk, as with a thousand
// sessions, that is done less often.
func (s *following) settled(f *followed, now time.Time) bool {
	since := now.Sub(f.notedAt)
	switch {
	case !f.unnoted(), now.Sub(s.notedAt) < noteShare*s.noting:
		return false
	case s.quick:
		return now.Sub(f.grew) >= quiet/100
	case f.notedAt.IsZero():
		return now.Sub(f.grew) >= quiet || now.Sub(s.started) >= noteSoon
	case f.at.Offset-f.stream.noted.Offset >= noteMuch:
		return since >= noteSoon
	}
	return since >= noteEvery
}

// noters is how many positions are written at a time.
const noters = 8

// note writes up to where files were read: each waits for the disk, and they wait together.
func (s *following) note(files ...*followed) {
	if len(files) == 0 {
		return
	}
	began := time.Now()
	errs := make([]error, len(files))
	tickets := make(chan struct{}, noters)
	var writing sync.WaitGroup
	for i, f := range files {
		if !f.unnoted() {
			continue
		}
		tickets <- struct{}{}
		writing.Go(func() {
			errs[i] = f.note()
			<-tickets
		})
	}
	writing.Wait()
	for i, f := range files {
		if f.notedAt = time.Now(); errs[i] != nil {
			s.failed(f, errs[i])
		}
	}
	s.notedAt = time.Now()
	s.noting = s.notedAt.Sub(began)
}

// closeOldest closes files that did not grow for longest.
func (s *following) closeOldest(n int) {
	for ; n > 0; n-- {
		var oldest *followed
		for _, f := range s.files {
			if f.file != nil && !f.queued && len(f.paths) > 0 && (oldest == nil || f.grew.Before(oldest.grew)) {
				oldest = f
			}
		}
		if oldest == nil {
			return
		}
		oldest.close()
	}
}

// end writes up to where every file was read.
func (s *following) end() {
	s.note(slices.Collect(maps.Values(s.files))...)
	for _, f := range s.files {
		f.close()
	}
}

package transcript

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/tail"
)

// Follower reads transcripts into the journal as they grow. It holds what it knows of
// the files' names and times, and nothing of what is in them; whatever goes wrong it goes
// on from the positions in the journal.
type Follower struct {
	Reader *Reader
	// Announced follows what hook events name as their transcript, and the agents of
	// that session.
	Announced bool
	// Trees are folders that are followed whole, sessions of before included.
	Trees []string
	Log   zerolog.Logger
	// Failed, if not nil, is told what goes wrong, and says whether it is recorded, and so in
	// the log already.
	Failed func(f failure.Failure, message string) bool

	tail   tail.Tree // tests make it faster
	health intake.Tracker
}

// Run follows until ctx ends. changes are the sessions of which something was appended
// to the journal, as connector.Follow tells; it is always received.
func (f *Follower) Run(ctx context.Context, changes <-chan []string) {
	s := &following{Follower: f, queue: newQueue(), lives: map[string]*live{}, foreign: map[string]int64{}, own: map[string]int64{},
		dirty: map[string]bool{}, retries: map[string]time.Duration{}}
	s.index = readIndex(f.Reader.Journal.Home(), f.Reader.Host)
	s.mains = mains(s.index)
	f.Reader.kin.remember(s.index)
	s.known = knowledge{Reader: f.Reader, found: map[string]map[string]Position{}}
	places, reports := make(chan []tail.Place), make(chan []string)
	tree := f.tail
	tree.Log, tree.Want, tree.Enter = f.Log, wanted, f.enters
	defer s.writeIndex()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { tree.Run(ctx, places, reports) })
	running.Go(func() { s.receive(ctx, reports) })
	running.Go(func() { s.work(ctx, small) })
	running.Go(func() { s.work(ctx, large) })
	running.Go(func() { s.keep(ctx) })
	running.Go(func() { s.trees(ctx, places) })
	s.announcements(ctx, changes, places)
}

// trees has whole trees watched, and does not let them be forgotten while they are not
// there.
func (s *following) trees(ctx context.Context, places chan<- []tail.Place) {
	var trees []tail.Place
	for _, dir := range s.Trees {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		} else {
			s.Log.Info().EmbedObject(logline.Why(failure.TranscriptNoFolder, err)).Str("path", dir).
				Msg("a folder of transcripts is not there; it is followed once it is")
		}
		trees = append(trees, tail.Place{Path: dir, Folder: true})
	}
	for len(trees) > 0 {
		select {
		case places <- trees:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(10 * time.Minute):
		case <-ctx.Done():
			return
		}
	}
}

// wanted are the files that may be transcripts.
func wanted(path string) bool { return strings.HasSuffix(path, suffix) }

// enters reports whether a folder may have transcripts. Large outputs of tools lie beside
// them; and the files of a journal are named after sessions, too: a daemon that followed
// its own would have more to read with all that it reads.
func (f *Follower) enters(path string) bool {
	if filepath.Base(path) == "tool-results" {
		return false
	}
	if _, err := os.Lstat(filepath.Join(path, "key")); err != nil {
		return true // the usual folder costs one look
	}
	entries, err := os.ReadDir(path)
	return err != nil || !intake.IsHome(entries)
}

// following is one Run.
type following struct {
	*Follower
	queue *queue

	mu    sync.Mutex
	index map[string]entry
	own   map[string]int64 // entries that this process made, with the file's time then
	dirty map[string]bool  // entries that the index on disk lacks
	lives map[string]*live
	// foreign are files that are no transcripts, with their size when that was seen.
	foreign map[string]int64
	mains   map[string]string // what the index said in the beginning: see mains
	// retries are how long was waited for a file that could not be read.
	retries map[string]time.Duration

	knowing sync.Mutex
	known   knowledge // what the journal says where the index does not
}

// receive queues the files that changed, the oldest to be read first.
func (s *following) receive(ctx context.Context, reports <-chan []string) {
	for {
		var paths []string
		select {
		case <-ctx.Done():
			return
		case paths = <-reports:
		}
		var jobs []*job
		for _, path := range paths {
			if j := s.job(path); j != nil {
				jobs = append(jobs, j)
			}
		}
		slices.SortFunc(jobs, func(a, b *job) int { return b.file.ModTime.Compare(a.file.ModTime) })
		for _, j := range jobs {
			s.queue.put(j)
		}
	}
}

// job returns what is to be done about a file that changed, nil if nothing. Nothing of
// the file is read: there can be many thousands.
func (s *following) job(path string) *job {
	file, err := Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.health.Left(path)
		return nil
	}
	if err != nil {
		file = File{Path: path}
	}
	s.health.Follows(path)
	s.mu.Lock()
	e, ok := s.index[file.Path]
	foreign := s.foreign[file.Path]
	s.mu.Unlock()
	if ok && e.unchanged(file) && s.held(e) || foreign > 0 && file.Size >= foreign {
		return nil
	}
	return &job{file: file, behind: max(0, file.Size-e.Offset)}
}

// held reports whether the journal still has what it had when e was noted. One that was
// removed, cut, put back from a backup or begun anew may lack what the index says is in it.
func (s *following) held(e entry) bool {
	return e.end == 0 || e.held(s.Reader.Journal) // 0: nothing of the file was for a journal
}

// work reads one file after the other, the small or the large ones.
func (s *following) work(ctx context.Context, which int) {
	for {
		j := s.queue.take(which)
		if j == nil {
			select {
			case <-ctx.Done():
				return
			case <-s.queue.wake[which]:
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		again := s.read(ctx, j)
		s.queue.done(j.file.Path)
		if again != nil && ctx.Err() == nil {
			s.queue.put(again)
		}
	}
}

// read reads what is new in a file. It returns what is to be done later.
func (s *following) read(ctx context.Context, j *job) (again *job) {
	file, err := Stat(j.file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		if s.recovered(j.file.Path); j.behind > 0 && !j.meta {
			s.tell(s.wrong(failure.TranscriptLost, j.file, 0, "it was removed before all of it was read"), "a transcript is lost")
		}
		return nil // it went away; if it comes back that is told
	}
	var from Position
	if err == nil {
		from, err = s.position(&file)
	}
	if errors.Is(err, errStaysOut) {
		if s.Reader.Journal.Forgotten(file.Session) {
			s.health.Forgot(file.Session)
		}
		s.recovered(file.Path)
		return nil
	}
	if err != nil {
		return s.failed(ctx, j, err)
	}
	if file.Session == "" {
		return nil // no transcript, or not yet
	}
	if j.meta {
		if err = s.Reader.readMeta(ctx, file, from); err == nil {
			s.recovered(file.Path)
		}
		return s.failed(ctx, j, err)
	}
	if now := time.Now(); from.Offset == 0 && (j.since.IsZero() || now.Sub(j.since) < forkPatience) && s.Reader.young(file) {
		if j.since.IsZero() {
			j.since = now
		}
		return &job{file: file, behind: file.Size, due: now.Add(forkSettles), since: j.since}
	}
	progress := func(bytes, _ int64) { s.queue.advance(j, bytes) }
	report, at, err := s.Reader.read(ctx, file, from, progress, s.live(file))
	if report.foreign {
		s.leave(file)
		return nil
	}
	s.note(file, at, &report)
	s.count(&report)
	if err == nil && report.failed {
		err = report.problemError()
	}
	if err != nil {
		return s.failed(ctx, j, err)
	}
	s.recovered(file.Path)
	if file.Agent != "" && report.Lines > 0 && !s.Reader.hasMeta(file) {
		return &job{file: file, meta: true, due: time.Now().Add(metaWait)}
	}
	return nil
}

// metaWait is when an agent's record is looked for again that was not there while its
// transcript was read; once, as agents of old versions have none.
const metaWait = 3 * time.Second

// errStaysOut says that nothing of a file would be written.
var errStaysOut = errors.New("its session is left out")

// position says whose a file is, and up to where it is in the journal.
func (s *following) position(file *File) (Position, error) {
	s.mu.Lock()
	e, indexed := s.index[file.Path]
	_, own := s.own[file.Path]
	s.mu.Unlock()
	if file.Session == "" {
		if file.Session = e.session; !indexed {
			session, err := identify(file.Path)
			if session == "" && err == nil && file.Size > identifyBytes {
				s.leave(*file)
			}
			if file.Session = session; err != nil || session == "" {
				return Position{}, err
			}
		}
	}
	e.remind(file)
	journal, err := s.Reader.Journal.Stat(file.Session)
	if errors.Is(err, fs.ErrNotExist) {
		if s.Reader.Journal.StaysOut(file.Session) {
			return Position{}, errStaysOut
		}
		return Position{}, nil
	}
	if err != nil {
		return Position{}, err
	}
	// Of what this process wrote it is sure; what the index has may be older than what the
	// journal has.
	if indexed && (journal.Size == e.end || own && s.held(e)) {
		return e.Position, nil
	}
	s.knowing.Lock()
	defer s.knowing.Unlock()
	s.known.journals = map[string]int64{file.Session: journal.Size}
	if own {
		delete(s.known.found, file.Session)
	}
	from, _, err := s.known.of(*file)
	return from, err
}

// leave takes down that a file is no transcript.
func (s *following) leave(file File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foreign[file.Path] = file.Size
}

// live returns what is kept of a file that grows; nil of an old one.
func (s *following) live(file File) *live {
	if time.Since(file.ModTime) > liveFor {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lives[file.Path]
	if l == nil {
		l = &live{}
		s.lives[file.Path] = l
	}
	l.used = time.Now()
	return l
}

// note takes down up to where a file was read.
func (s *following) note(file File, at Position, report *FileReport) {
	if report.info == nil || report.failed {
		return
	}
	e := newEntry(file, at, report)
	e.seal(s.Reader.Journal)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index[file.Path], s.own[file.Path], s.dirty[file.Path] = e, report.info.ModTime().UnixNano(), true
}

// failed returns the job to be done again, later each time, if err is not nil. It says
// so once.
func (s *following) failed(ctx context.Context, j *job, err error) *job {
	if err == nil || ctx.Err() != nil {
		return nil
	}
	s.mu.Lock()
	wait, again := s.retries[j.file.Path]
	wait = min(max(2*wait, time.Second), time.Minute)
	s.retries[j.file.Path] = wait
	s.mu.Unlock()
	if s.health.Failed(j.file.Path, err); !again {
		s.tell(s.wrong(failure.TranscriptUnreadable, j.file, 0, err.Error()), "a transcript cannot be read; trying again")
	}
	return &job{file: j.file, behind: j.behind, meta: j.meta, due: time.Now().Add(wait)}
}

func (s *following) recovered(path string) {
	s.mu.Lock()
	_, failed := s.retries[path]
	delete(s.retries, path)
	s.mu.Unlock()
	if failed {
		s.health.Recovered(path)
		s.Log.Info().Str("path", path).Msg("the transcript can be read again, or is gone")
	}
}

package actiongraph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// ImportReport says what Import did.
type ImportReport struct {
	Journal  string `json:"journal"`  // the id of the journal that was read
	Sessions int    `json:"sessions"` // of which something was new
	Events   int    `json:"events"`   // appended
	Known    int    `json:"known"`    // here already
	Refused  int    `json:"refused"`  // lines that are no events of this version
	// Forgotten counts sessions that the other home has, and this one forgot: they stay so.
	Forgotten int           `json:"forgotten"`
	Torn      int           `json:"torn"`  // lines that are no records
	Bytes     int64         `json:"bytes"` // of journal read
	Duration  time.Duration `json:"duration_ns"`
}

// Import appends what the journal of another home has and this one has not: what a
// second machine recorded, or a backup. To import it again adds only what is new. In a
// store that both journals write into, what was imported becomes this journal's, and
// what the other one wrote there goes. A session that the other machine goes on
// recording is there as a part of its own again, until the next import.
//
// progress, which may be nil, gets the bytes read and to read. A session that cannot be
// read does not stop the others; the error joins one for each.
func (h *Home) Import(ctx context.Context, dir string, progress func(done, total int64)) (ImportReport, error) {
	start := time.Now()
	im := importer{home: h, seed: maphash.MakeSeed()}
	var err error
	if im.from, err = openForImport(h.journal, dir); err != nil {
		return im.report, err
	}
	im.report.Journal = im.from.ID()
	files, err := im.from.Files()
	if err != nil {
		return im.report, err
	}
	var total int64
	for _, f := range files {
		total += f.Size
	}
	var errs []error
	for _, f := range files {
		if ctx.Err() != nil {
			errs = append(errs, ctx.Err())
			break
		}
		if h.journal.Forgotten(f.Session) {
			im.report.Forgotten++
			total -= f.Size
			continue
		}
		if err := im.session(ctx, f.Session); err != nil && ctx.Err() == nil {
			errs = append(errs, fmt.Errorf("import session %s: %w", f.Session, err))
		}
		if progress != nil {
			progress(im.report.Bytes, total)
		}
	}
	im.report.Duration = time.Since(start)
	return im.report, errors.Join(errs...)
}

// openForImport opens the journal of another home, which it does not make: a
// mistyped path would be an empty journal.
func openForImport(into *journal.Journal, dir string) (*journal.Journal, error) {
	for _, name := range []string{"id", "key"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no home of actiongraph: it has no file %q (give a directory such as ~/.actiongraph)", dir, name)
		}
	}
	from, err := packed.Open(dir)
	if err != nil {
		return nil, err
	}
	a, errA := os.Stat(from.Home())
	b, errB := os.Stat(into.Home())
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return nil, errcode.With(errcode.Usage, fmt.Errorf("%s is this home itself", dir))
	}
	return from, nil
}

// importer copies one journal into another.
type importer struct {
	home   *Home
	from   *journal.Journal
	seed   maphash.Seed
	report ImportReport
}

// chunk is how many events one Append takes: what an interruption can leave half done.
const chunk = 500

// session copies one session. That it is here is said at the end: said before, an
// import that was interrupted would have taken from a shared store what is not in
// this journal yet. Nor is it said where a line was refused: that is not here.
func (im *importer) session(ctx context.Context, session string) error {
	known, err := im.known(session)
	if err != nil {
		return err
	}
	cursor, err := im.from.Read(session, journal.Position{})
	if err != nil {
		return err
	}
	defer cursor.Close()
	added, refused, last, err := im.copy(ctx, cursor, session, known)
	im.report.Bytes += cursor.Position().Offset
	im.report.Torn += cursor.Torn()
	im.report.Events += added
	im.report.Refused += refused
	if added > 0 {
		im.report.Sessions++
	}
	if err != nil || refused > 0 {
		return err
	}
	return im.note(session, cursor.Position().Offset, last, known)
}

// copy appends the events that are not known. last is when the latest of all was.
func (im *importer) copy(ctx context.Context, cursor *journal.Cursor, session string, known map[uint64]bool) (added, refused int, last time.Time, err error) {
	var lines []redact.Line
	for ctx.Err() == nil {
		record, err := cursor.Next()
		if err == io.EOF {
			return added + len(lines), refused, last, im.home.journal.Append(lines...)
		}
		if err != nil {
			return added, refused, last, err
		}
		e, err := schema.Decode(record)
		if err != nil || e.SessionID != session || e.EventID == "" || e.V > schema.Version {
			refused++
			continue
		}
		if e.Timestamp.After(last) {
			last = e.Timestamp
		}
		line := im.home.redactor.Event(e)
		if _, out := line.LeftOut(); out {
			if err := im.home.journal.Append(line); err != nil {
				return added, refused, last, err
			}
			continue
		}
		sum := maphash.Bytes(im.seed, line.Bytes())
		if known[sum] {
			im.report.Known++
			continue
		}
		known[sum] = true
		if lines = append(lines, line); len(lines) == chunk {
			if err := im.home.journal.Append(lines...); err != nil {
				return added, refused, last, err
			}
			added, lines = added+len(lines), lines[:0]
		}
	}
	return added, refused, last, ctx.Err()
}

// known gives the hashes of the records that the session has here.
func (im *importer) known(session string) (map[uint64]bool, error) {
	known := map[uint64]bool{}
	cursor, err := im.home.journal.Read(session, journal.Position{})
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return nil, err
	}
	defer cursor.Close()
	for {
		record, err := cursor.Next()
		if err == io.EOF {
			return known, nil
		}
		if err != nil {
			return nil, err
		}
		known[maphash.Bytes(im.seed, record)] = true
	}
}

// note appends that the other journal's record of the session is in this one up to an
// offset, where its last fact was at that time. A backup of this journal needs no note.
func (im *importer) note(session string, offset int64, last time.Time, known map[uint64]bool) error {
	if im.from.ID() == im.home.journal.ID() || last.IsZero() {
		return nil
	}
	metadata, err := json.Marshal(map[string]any{schema.MetaJournal: im.from.ID(), schema.MetaOffset: offset})
	if err != nil {
		return err
	}
	// Its time is the other journal's, not the clock's: to import again says the same.
	line := im.home.redactor.Event(schema.Event{
		V: schema.Version, EventID: schema.EventID(schema.OriginAPI, string(schema.SourcePosition), im.from.ID(), session, fmt.Sprint(offset)),
		EventType: schema.SourcePosition, SessionID: session, Timestamp: last, SourceSDK: DefaultSourceSDK,
		Origin: schema.OriginAPI, Actor: schema.ActorUser, Metadata: metadata,
	})
	if known[maphash.Bytes(im.seed, line.Bytes())] {
		return nil
	}
	return im.home.journal.Append(line)
}

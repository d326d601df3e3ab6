// Package record is what event stores of every kind agree on: what a session and a record
// are, what is an event and what is none, and what a store says of itself.
package record

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/schema"
)

// What the table meta of a store says: Kind in the row KindKey, Version in the row
// VersionKey. The version changes with the tables, and with what is written into them.
const (
	KindKey    = "kind"
	Kind       = "actiongraph event store"
	VersionKey = "version"
	Version    = "1"
)

var (
	// ErrCorrupted is of a record that is no event, or is not what was written.
	ErrCorrupted = errcode.New(errcode.EventsCorrupted, "corrupted record")
	// ErrForgotten is of a session that the store was told to forget: it stays so.
	ErrForgotten = errcode.New(errcode.SessionForgotten, "the session was forgotten there")
	// ErrVersion is of a store of another Version: nothing is read there, and nothing written.
	ErrVersion = errcode.New(errcode.EventsVersion, "another version of the event store's tables")
	// ErrNotEventStore is of a database that is something else.
	ErrNotEventStore = errcode.New(errcode.EventsNoStore, "no event store")
)

// NotThere is of what there is not: it wraps fs.ErrNotExist, and says more than that.
type NotThere string

func (n NotThere) Error() string { return string(n) }

// Unwrap returns fs.ErrNotExist.
func (n NotThere) Unwrap() error { return fs.ErrNotExist }

// Session is what a store says of one session.
type Session struct {
	ID     string    `json:"session"`
	Events int64     `json:"events"`
	First  time.Time `json:"first_at"` // the earliest and the latest time of its events
	Last   time.Time `json:"last_at"`
}

// Saw counts an event of the session.
func (s *Session) Saw(at time.Time) {
	s.Events++
	if s.First.IsZero() || at.Before(s.First) {
		s.First = at
	}
	if at.After(s.Last) {
		s.Last = at
	}
}

// Record is one record of a session, and where it is.
type Record struct {
	Line   []byte // without its newline; nil where it is damaged. Good until the next record
	Err    error  // nil, or what is wrong with it: it wraps ErrCorrupted
	In     string // a file, or a table
	Number int64  // of the line there, or its ordinal
}

// Place is where a person finds the record.
func (r Record) Place() string { return fmt.Sprintf("%s %d", r.In, r.Number) }

// Lines passes the lines of records to yield. A damaged record is an error that says where it is.
func Lines(records iter.Seq2[Record, error], yield func(line []byte) error) error {
	for r, err := range records {
		if err == nil && r.Err != nil {
			err = fmt.Errorf("%s: %w", r.Place(), r.Err)
		}
		if err == nil {
			err = yield(r.Line)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Hash is the SHA-256 of a line: what tells records of one session apart.
type Hash = [sha256.Size]byte

// Columns are what a store has of an event beside its line.
type Columns struct {
	ID, Type string
	Time     time.Time
	Hash     Hash
}

// ColumnsOf is what is in columns of an event that Parse returned.
func ColumnsOf(e *schema.Event, line []byte) Columns {
	return Columns{ID: column(e.EventID), Type: column(string(e.EventType)), Time: e.Timestamp, Hash: sha256.Sum256(line)}
}

// Parser reads the lines of sessions. The zero Parser is ready; it is for one goroutine.
type Parser struct{ decoder schema.Decoder }

// Parse takes a line for an event of the session, whose raw fields are of the line, or says
// why it is none: the error wraps ErrCorrupted. What is no UTF-8 is no JSON either: databases
// refuse it, and nothing that writes a journal writes it.
func (p *Parser) Parse(session string, line []byte) (schema.Event, error) {
	p.decoder.Alias = true
	switch {
	case !utf8.Valid(line):
		return schema.Event{}, corruptedf("it is not valid UTF-8")
	case bytes.IndexByte(line, '\n') >= 0:
		return schema.Event{}, corruptedf("it is more than one line")
	}
	e, err := p.decoder.Record(line, session)
	if err != nil {
		return e, corruptedf("%w", err)
	}
	return e, nil
}

// Check says whether a line that a store has is the one that was written. The error wraps
// ErrCorrupted.
func Check(line, hash []byte) error {
	if sum := sha256.Sum256(line); !bytes.Equal(sum[:], hash) {
		return corruptedf("its text was changed since it was written: its hash is another one")
	}
	return nil
}

// longest is how long a text in an indexed column may be: an index of PostgreSQL takes 2,704
// bytes. No id that our writers make is longer than 128.
const longest = 1 << 10

// column is a text as PostgreSQL takes it, which has no NUL in one.
func column(s string) string {
	if len(s) > longest {
		s = schema.CutHead(s, longest)
	}
	return strings.ReplaceAll(s, "\x00", "\ufffd")
}

func corruptedf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrCorrupted, fmt.Errorf(format, args...))
}

// CheckSession refuses what is no session's id. Positions and probes, which a journal keeps
// beside sessions, are none.
func CheckSession(session string) error {
	if !schema.ValidID(session) || schema.NoSession(session) {
		return fmt.Errorf("%.80q is no id of a session", session)
	}
	return nil
}

// CheckMeta compares what a store says of itself with what this package writes.
func CheckMeta(kind, version string) error {
	switch {
	case kind != Kind:
		return fmt.Errorf("%w: its table meta does not say that it is one: give another database", ErrNotEventStore)
	case version != Version:
		return fmt.Errorf("%w: it has version %.20s, this program reads and writes version %s: use the version of ag-sessiond that made it to migrate it to file:///…, and that on with this one",
			ErrVersion, version, Version)
	}
	return nil
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// record is what a source_position says: up to where a file is in the journal, and which
// file that was.
type record struct {
	lines.Position
	path       string
	dev, inode uint64 // 0 where the system has none, or where it was no file
	// size and modTime are of the file when it was read to its end, as it is on the disk; 0 says that
	// there was more to read.
	size    int64
	modTime int64 // Unix nanoseconds
	format  jsonl.Format
	session string // of a format that is one session a file
	broken  int64  // lines before the offset that were bad: somebody may repair them
}

// sdk is the source_sdk of positions.
const sdk = "actiongraph-source"

// Keys of a position's metadata, beside those of schema.
const (
	metaAll      = "all"    // the sum of all lines before the offset, CRC-32C, 8 hexadecimal digits
	metaDevice   = "device" // of the file, hexadecimal digits, as inode
	metaInode    = "inode"
	metaSize     = "size"     // of the file as it was read to its end, bytes
	metaModified = "modified" // likewise its time, Unix nanoseconds
	metaFormat   = "format"
	metaSession  = "session" // of a format that is one session a file
	metaBroken   = "broken"  // lines before the offset that were bad; absent where none was
)

// event is the fact that the file is in the journal up to there.
func (r record) event(host string) schema.Event {
	number := func(b []byte, key string, n int64) []byte {
		return strconv.AppendInt(append(append(append(b, ",\""...), key...), "\":"...), n, 10)
	}
	meta := append(schema.AppendString([]byte(`{"`+schema.MetaSource+`":`), r.path), ""...)
	meta = number(meta, schema.MetaOffset, r.Offset)
	meta = number(meta, schema.MetaLines, r.Lines)
	meta = fmt.Appendf(meta, `,"%s":"%016x","%s":"%016x","%s":"%08x","%s":"%x","%s":"%x"`, schema.MetaSum, r.Sum, schema.MetaFirst, r.First,
		metaAll, r.All, metaDevice, r.dev, metaInode, r.inode)
	if r.broken > 0 {
		meta = number(meta, metaBroken, r.broken)
	}
	if r.size > 0 {
		meta = number(number(meta, metaSize, r.size), metaModified, r.modTime)
	}
	meta = append(schema.AppendString(append(meta, `,"`+metaFormat+`":`...), string(r.format)), `,"`+metaSession+`":`...)
	meta = append(schema.AppendString(meta, r.session), '}')
	return schema.Event{
		V: schema.Version, EventType: schema.SourcePosition, SessionID: schema.PositionsID(r.First), Timestamp: time.Unix(0, max(r.modTime, 1)).UTC(),
		EventID:   schema.EventID(schema.OriginAudit, string(schema.SourcePosition), host, string(meta)),
		SourceSDK: sdk, Origin: schema.OriginAudit, Actor: schema.ActorRuntime, Host: host, Metadata: meta,
	}
}

// parseRecord reads what event made, of a file of this machine.
func parseRecord(line []byte, host string) (r record, ok bool) {
	if !bytes.Contains(line, []byte(`"`+sdk+`"`)) {
		return r, false
	}
	e, err := schema.Decode(line)
	if err != nil || e.EventType != schema.SourcePosition || e.SourceSDK != sdk || e.Host != host {
		return r, false
	}
	number := func(name string) (n int64) {
		if raw := schema.Field(e.Metadata, name); err == nil && raw != nil {
			n, err = strconv.ParseInt(string(raw), 10, 64)
		}
		return n
	}
	hash := func(name string) (n uint64) {
		if err == nil {
			n, err = strconv.ParseUint(schema.FieldString(e.Metadata, name), 16, 64)
		}
		return n
	}
	r = record{
		Position: lines.Position{Offset: number(schema.MetaOffset), Lines: number(schema.MetaLines), Sum: hash(schema.MetaSum),
			First: hash(schema.MetaFirst), All: uint32(hash(metaAll))},
		path: schema.FieldString(e.Metadata, schema.MetaSource), dev: hash(metaDevice), inode: hash(metaInode),
		size: number(metaSize), modTime: number(metaModified),
		format: jsonl.Format(schema.FieldString(e.Metadata, metaFormat)), session: schema.FieldString(e.Metadata, metaSession),
		broken: number(metaBroken),
	}
	return r, err == nil && r.Offset >= 0 && r.Lines >= 0 && (r.session == "" || schema.ValidID(r.session))
}

// positions are what the journal has of files that begin with one line, as far as it was read.
type positions struct {
	found []*record         // of each file the last word, the oldest first
	at    map[[2]uint64]int // in found, by device and inode
	upTo  journal.Position
	there map[string]bool // sessions whose journal is there
}

// records returns what the journal has of files that begin with a line. A position whose
// session somebody removed covers nothing.
func (s *stream) records(first uint64) ([]*record, error) {
	if s.Journal == nil {
		return nil, nil
	}
	p := s.positions
	if p == nil {
		p = &positions{}
	}
	if err := p.read(s.Reader, first); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(append(slices.Clone(p.found), s.live...), func(rec *record) bool {
		if rec.session == "" || rec.Offset == 0 || p.there[rec.session] {
			return false
		}
		_, err := s.Journal.Stat(rec.session)
		p.there[rec.session] = err == nil
		return errors.Is(err, fs.ErrNotExist)
	}), nil
}

// read reads on to the end.
func (p *positions) read(r *Reader, first uint64) error {
	if p.at == nil {
		p.at, p.there = map[[2]uint64]int{}, map[string]bool{}
	}
	cursor, err := r.Journal.Read(schema.PositionsID(first), p.upTo)
	switch {
	case errors.Is(err, journal.ErrReplaced): // what was read covers nothing any more
		*p = positions{}
		return p.read(r, first)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	defer cursor.Close()
	for {
		line, err := cursor.Next()
		if err == io.EOF {
			p.upTo = cursor.Position()
			return nil
		}
		if err != nil {
			return err
		}
		rec, ok := parseRecord(line, r.Host)
		if !ok || rec.First != first {
			continue
		}
		id := [2]uint64{rec.dev, rec.inode}
		if i, ok := p.at[id]; ok && rec.inode != 0 {
			p.found[i] = &rec
			continue
		}
		p.at[id] = len(p.found)
		p.found = append(p.found, &rec)
	}
}

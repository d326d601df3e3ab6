package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Position is a place in a transcript.
type Position = lines.Position

// MaxLine is the longest line, in bytes, that is read.
const MaxLine = lines.MaxLine

// sourceSDK is the runtime whose transcripts these are.
const sourceSDK = "claude-code"

// metaAll is, of a source_position of a transcript, the sum of all lines.
const metaAll = "all"

// record is the source_position that says up to where a file is in the journal.
func record(session, host, path string, p Position, at time.Time) schema.Event {
	sum, first := fmt.Sprintf("%016x", p.Sum), fmt.Sprintf("%016x", p.First)
	meta := append(schema.AppendString([]byte(`{"`+schema.MetaSource+`":`), path), `,"`+schema.MetaOffset+`":`...)
	meta = strconv.AppendInt(meta, p.Offset, 10)
	meta = strconv.AppendInt(append(meta, `,"`+schema.MetaLines+`":`...), p.Lines, 10)
	meta = append(meta, `,"`+schema.MetaSum+`":"`+sum+`","`+schema.MetaFirst+`":"`+first+`"`...)
	if p.All != 0 {
		meta = fmt.Appendf(meta, `,"%s":"%08x"`, metaAll, p.All)
	}
	meta = append(meta, '}')
	return schema.Event{
		V: schema.Version, EventType: schema.SourcePosition, SessionID: session, Timestamp: at.UTC(),
		EventID:   schema.EventID(schema.OriginTranscript, string(schema.SourcePosition), host, path, strconv.FormatInt(p.Offset, 10), sum, first, strconv.FormatUint(uint64(p.All), 16)),
		SourceSDK: sourceSDK, Origin: schema.OriginTranscript, Actor: schema.ActorRuntime, Host: host, Metadata: meta,
	}
}

// parseRecord reads a source_position of a file of this machine.
func parseRecord(line []byte, host string) (path string, p Position, ok bool) {
	// The journals of years of sessions are looked through: most lines are not even
	// taken apart.
	if !bytes.Contains(line, []byte(`"event_type":"`+string(schema.SourcePosition)+`"`)) {
		return
	}
	e, err := schema.Decode(line)
	if err != nil || e.EventType != schema.SourcePosition || e.Host != host {
		return
	}
	path = schema.FieldString(e.Metadata, schema.MetaSource)
	number := func(name string) (n int64) {
		if err == nil {
			n, err = strconv.ParseInt(string(schema.Field(e.Metadata, name)), 10, 64)
		}
		return n
	}
	hash := func(name string) (n uint64) {
		if err == nil {
			n, err = strconv.ParseUint(schema.FieldString(e.Metadata, name), 16, 64)
		}
		return n
	}
	p = Position{Offset: number(schema.MetaOffset), Lines: number(schema.MetaLines), Sum: hash(schema.MetaSum), First: hash(schema.MetaFirst)}
	if schema.Field(e.Metadata, metaAll) != nil {
		p.All = uint32(hash(metaAll))
	}
	return path, p, path != "" && err == nil && p.Offset > 0
}

// positions reads from the journal of a session up to where files are in it: the last
// word of each.
func positions(j *journal.Journal, session, host string) (map[string]Position, error) {
	cursor, err := j.Read(session, journal.Position{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer cursor.Close()
	found := map[string]Position{}
	for {
		line, err := cursor.Next()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if path, p, ok := parseRecord(line, host); ok {
			found[path] = p
		}
	}
}

// record is the fact that the file is in the journal up to at.
func (p *reading) record(at Position) schema.Event {
	when := p.latest
	if when.IsZero() {
		when = p.report.info.ModTime()
	}
	return record(p.file.Session, p.Host, p.file.Path, at, when)
}

package transcript

import (
	"bytes"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// head is what a transcript says down to its first answer of the model API.
type head struct {
	begins            // as it does
	marked  bool      // it is a fork that marks the lines that it copied
	foreign bool      // its first line of the conversation says another session
	start   time.Time // the first time that is in it
	bare    bool      // nothing but lines of the conversation is between its first one and the first answer
	size    int64     // of the file, when that was seen
	vain    bool      // so much was read without an answer that none is expected
	gone    string    // the session, of a file that is not there any more
	// compacted is the uuid of the first line of the conversation where that ends a compaction, as
	// in a fork of a session that was compacted: it has that line in its middle.
	compacted string
}

// begins are hashes of what a transcript begins with, 0 where it has none yet.
type begins struct {
	first  uint64 // uuid of the first line of the conversation
	answer uint64 // message.id of the first answer
}

// like reports whether two transcripts begin alike.
func (b begins) like(o begins) bool {
	return b.first != 0 && b.first == o.first || b.answer != 0 && b.answer == o.answer
}

// mayCopy reports whether a file may have lines that one that begins alike had first. Where that
// one marks its own copies, it had only those that follow them first: of that session and its other
// forks, each of which begins earlier or marks its copies, too, it has nothing to say.
func (h head) mayCopy(other head) bool {
	if !other.marked {
		return true
	}
	earlier := h.start.Before(other.start) || h.start.Equal(other.start) && other.bare && !h.bare
	return !h.marked && !earlier
}

// hashOf hashes a name; 0 of none.
func hashOf(name string) uint64 {
	if name == "" {
		return 0
	}
	return nameHash(byUUID, name)
}

// headBytes is how much is looked at behind the first answer, where nothing says whether
// the request for it was the session's own.
const headBytes = 256 << 10

// Without an answer nothing more is looked at behind that much of other lines than those of the
// conversation, as of another program's file, and behind that much of all: requests to the
// API have less. Both are bytes.
const (
	mostOther      = 8 << 20
	mostUnanswered = 64 << 20
)

// readHead reads the head of a file. A fork copies lines from the beginning, so that
// its first ones are marked forkedFrom, or the first answer of the API was to another
// session's request. session is the one that the file's name says, or "".
func readHead(l *lines.Reader, session string) (h head, err error) {
	defer func(max int64) { l.Max = max }(l.Max)
	l.Max = 1 << 20 // a longer line is no answer; to hold it would be to hold it twice
	conversation, other := false, 0
	for behind := int64(-1); behind < 0 || l.Offset() < behind; {
		line, err := l.Next()
		if err != nil {
			return h, lines.IgnoreEOF(err)
		}
		if h.vain = h.answer == 0 && (other > mostOther || l.Offset() > mostUnanswered); h.vain {
			return h, nil
		}
		if h.start.IsZero() {
			h.start, _ = time.Parse(time.RFC3339Nano, schema.FieldString(line, "timestamp"))
		}
		h.marked = h.marked || bytes.Contains(line, []byte(`"forkedFrom"`)) || bytes.Contains(line, []byte(`"requestSessionId"`))
		if !bytes.Contains(line, []byte(`"parentUuid"`)) {
			h.bare = h.bare && h.answer != 0
			other += len(line)
			continue
		}
		other = 0
		if !conversation {
			if schema.FieldString(line, "subtype") == "compact_boundary" {
				h.compacted = schema.FieldString(line, "uuid")
			}
			h.bare, h.first = true, hashOf(schema.FieldString(line, "uuid"))
			said := schema.FieldString(line, "sessionId")
			conversation, h.foreign = true, session != "" && said != "" && said != session
		}
		if schema.FieldString(line, "type") != "assistant" {
			continue
		}
		if id := answerID(line); h.answer == 0 && id != "" {
			h.answer, behind = hashOf(id), l.Offset()+headBytes
		}
		if bytes.Contains(line, []byte(`"requestId"`)) {
			return h, nil
		}
	}
	return h, nil
}

// answerID is the id of the model's answer that a line is of; "" of what the runtime
// wrote in the model's name.
func answerID(line []byte) string {
	message := schema.Field(line, "message")
	if len(message) == 0 || message[0] != '{' || bytes.Contains(message, []byte(`"<synthetic>"`)) {
		return ""
	}
	return schema.FieldString(message, "id")
}

// headOf is the head of the file at a path; nothing where it cannot be read.
func headOf(path string) (h head) {
	f, info, err := lines.Open(path)
	if err != nil {
		return h
	}
	defer f.Close()
	if h, err = readHead(lines.Peek(f), named(path)); err != nil {
		h = head{}
	}
	h.size = info.Size()
	return h
}

// remember looks how a session's file begins that is not looked at for copies, where the index
// does not say: it was lost, or there was no answer yet.
func (p *reading) remember() {
	if p.file.Agent != "" || p.file.begins.answer != 0 {
		return
	}
	if h, err := readHead(lines.Peek(p.f), named(p.file.Path)); err == nil {
		p.report.begins = h.begins
	}
}

// named is the session that a file's name says; "" where it says none.
func named(path string) string {
	if name := strings.TrimSuffix(filepath.Base(path), suffix); isUUID(name) {
		return name
	}
	return ""
}

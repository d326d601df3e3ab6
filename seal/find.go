package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// The kinds of a Break.
const (
	Changed        = "changed"         // a record is another one
	Removed        = "removed"         // records are missing, and what follows them is there
	Inserted       = "inserted"        // there is a record that was not
	Moved          = "moved"           // records changed places
	Truncated      = "truncated"       // the end is missing
	SessionMissing = "session_missing" // all of the session is, and nobody signed that
	SealEdited     = "seal_edited"     // the session's records hold, its file of leaves does not
	SealMissing    = "seal_missing"    // that file is not there: its records cannot be compared
	LogEdited      = "log_edited"      // the log is not as it was written
	OtherKey       = "other_key"       // another key signed the log
	StoreDiffers   = "store_differs"   // a store has a copy of another log, or of more of it
	Unreadable     = "unreadable"      // what holds the session cannot be read
)

// Break is the first place at which something is not what was sealed.
type Break struct {
	Kind    string `json:"kind"`
	Session string `json:"session_id,omitempty"`
	Name    string `json:"name,omitempty"` // in the log, of a session whose id is nowhere any more
	// Record is counted from 1, Offset is where it begins, in the session's content as it is now. Where only
	// a range of records is known the place is in, To is its last.
	Record int64  `json:"record,omitempty"`
	To     int64  `json:"to_record,omitempty"`
	Offset int64  `json:"offset,omitempty"`
	Event  string `json:"event_id,omitempty"` // that is there now, where it can be read
	Entry  int64  `json:"entry,omitempty"`    // of the log
	Store  string `json:"store,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// nameless is the break without what names its session: what an error says of files has their paths. The
// log, which nobody changes when a session is forgotten, says it of one that was broken before.
func (b Break) nameless() Break {
	if b.Kind == SealMissing || b.Kind == Unreadable {
		b.Detail = ""
	}
	return b
}

// String is the break in words. It names neither session nor event but for the paths of a Detail.
func (b Break) String() string {
	where := ""
	switch {
	case b.To > b.Record:
		where = fmt.Sprintf("records %d to %d (from byte %d)", b.Record, b.To, b.Offset)
	case b.Record > 0:
		where = fmt.Sprintf("record %d (at byte %d)", b.Record, b.Offset)
	}
	text := map[string]string{
		Changed:        where + " changed",
		Removed:        where + " was removed",
		Inserted:       where + " was inserted",
		Moved:          where + " is in another's place",
		Truncated:      "the end is missing, from " + where + " on",
		SessionMissing: "the session is missing, and no signed entry says that it was forgotten",
		SealEdited:     "the file of its seal was edited; the records hold",
		SealMissing:    "the file of its seal is missing, or its first line edited: the records cannot be compared",
		LogEdited:      fmt.Sprintf("the log of seals was edited: entry %d", b.Entry),
		OtherKey:       "another key signed the log of seals",
		StoreDiffers:   fmt.Sprintf("store %s has another log of seals: entry %d", b.Store, b.Entry),
		Unreadable:     "cannot be read",
	}[b.Kind]
	if b.Detail != "" {
		text += ": " + b.Detail
	}
	return text
}

// check compares what a session holds with its chain: checkpoints are the chain's entries, the first ones
// first. It returns nil where all that was sealed is there as it was.
func check(j *journal.Journal, session string, checkpoints []Entry) *Break {
	last := checkpoints[len(checkpoints)-1]
	broken := &Break{Session: session, Entry: last.Number}
	content, err := j.Content(session)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		broken.Kind = SessionMissing
		return broken
	case err != nil:
		broken.Kind, broken.Detail = Unreadable, err.Error()
		return broken
	}
	defer content.Close()
	salt, sealed, err := readLeaves(leavesPath(j.Home(), session), last.Records)
	if err != nil && sealed == nil {
		broken.Kind, broken.Detail = SealMissing, err.Error()
		return broken
	}
	c := comparison{content: content, salt: salt, sealed: sealed, checkpoints: checkpoints, begin: first(j.ID(), session, salt)}
	edited := err != nil || c.sealedTo() < len(checkpoints)
	holds, err := c.contentTo()
	switch {
	case err != nil:
		broken.Kind, broken.Detail = Unreadable, err.Error()
	case holds == len(checkpoints) && !edited:
		return nil
	case holds == len(checkpoints):
		broken.Kind = SealEdited
	case edited:
		c.rangeOf(holds, broken)
	default:
		c.place(broken)
	}
	return broken
}

// comparison is one check.
type comparison struct {
	content     *journal.Content
	salt        salt
	sealed      []sum
	checkpoints []Entry
	begin       sum

	ends    []int64 // where each checkpoint that holds ends in the content
	differs int     // the first record, from 0, that is not the sealed one; as many as there are sealed if none
	at      int64   // where that begins
}

// sealedTo returns how many checkpoints the leaves of the session's file lead to.
func (c *comparison) sealedTo() (n int) {
	head, i := c.begin, int64(0)
	for _, e := range c.checkpoints {
		for ; i < e.Records; i++ {
			if i == int64(len(c.sealed)) {
				return n
			}
			head = head.then(c.sealed[i])
		}
		if head.String() != e.Head {
			return n
		}
		n++
	}
	return n
}

// contentTo returns how many checkpoints the records of the content lead to, and finds the first that
// differs from its leaf.
func (c *comparison) contentTo() (n int, err error) {
	in := recordsOf(c.content, 0, c.content.Size(), c.salt)
	head, i := c.begin, int64(0)
	c.differs = len(c.sealed)
	for _, e := range c.checkpoints {
		for ; i < e.Records; i++ {
			begin := in.end
			leaf, err := in.next()
			if err != nil && err != io.EOF {
				return n, err
			}
			if c.differs == len(c.sealed) && i < int64(len(c.sealed)) && (err != nil || leaf != c.sealed[i]) {
				c.differs, c.at = int(i), begin
			}
			if err != nil {
				return n, nil
			}
			head = head.then(leaf)
		}
		if head.String() != e.Head {
			return n, nil
		}
		c.ends = append(c.ends, in.end)
		n++
	}
	return n, nil
}

// rangeOf says between which checkpoints the content breaks: all that is known where the leaves were
// edited, too.
func (c *comparison) rangeOf(holds int, b *Break) {
	b.Kind, b.Record, b.To, b.Entry = Changed, 1, c.checkpoints[holds].Records, c.checkpoints[holds].Number
	if holds > 0 {
		b.Record, b.Offset = c.checkpoints[holds-1].Records+1, c.ends[holds-1]
	}
	b.Detail = "the file of its seal was edited, too"
}

// place says what became of the first record that is not the sealed one: what follows on both sides
// tells that.
func (c *comparison) place(b *Break) {
	i := c.differs
	b.Record, b.Offset = int64(i)+1, c.at
	for _, e := range c.checkpoints {
		if b.Entry = e.Number; e.Records >= b.Record {
			break
		}
	}
	in := recordsOf(c.content, c.at, c.content.Size(), c.salt)
	here, err := in.next()
	if err != nil {
		b.Kind = Truncated
		return
	}
	isLater := slices.Contains(c.sealed[i+1:], here)
	follows := false // what was sealed here
	for leaf := here; err == nil && !follows; leaf, err = in.next() {
		follows = leaf == c.sealed[i]
	}
	switch {
	case isLater && follows:
		b.Kind = Moved
	case isLater:
		b.Kind = Removed
	case follows:
		b.Kind = Inserted
	default:
		b.Kind = Changed
	}
	if b.Kind != Removed {
		b.Event = eventAt(c.content, c.at)
	}
}

// eventAt reads which event a record says it is.
func eventAt(content io.ReaderAt, at int64) string {
	text := make([]byte, 64<<10)
	n, err := content.ReadAt(text, at)
	if err != nil && err != io.EOF {
		return ""
	}
	for n > 0 && text[0] == '\n' {
		text, n = text[1:], n-1
	}
	return schema.FieldString(text[:n], "event_id")
}

package transcript

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// compacted knows in which files of a folder compactions end. Each file is read once, and
// what it grew by, as soon as somebody asks.
type compacted struct {
	looked time.Time           // at the files' sizes
	read   map[string]int64    // by path or session, up to where
	in     map[uint64][]string // file names, by the uuid of the line that ends a compaction
}

// compactedEvery is how often is looked whether files grew. A fork's file is read no earlier
// than forkSettles after it was made, and what it copies was there before.
const compactedEvery = forkSettles / 2

// files are those that have the line with a uuid; j has those that are gone, nil for none.
func (c *compacted) files(uuid, dir string, j *journal.Journal, heads map[string]head) []string {
	if uuid == "" {
		return nil
	}
	if c.read == nil {
		c.read, c.in = map[string]int64{}, map[uint64][]string{}
	}
	if time.Since(c.looked) >= compactedEvery {
		for name, h := range heads {
			switch {
			case h.gone == "":
				c.lookIn(filepath.Join(dir, name), name)
			case j != nil:
				c.lookInJournal(j, h.gone, name)
			}
		}
		c.looked = time.Now()
	}
	return c.in[hashOf(uuid)]
}

// lookIn reads what is new in a transcript. What cannot be read has none.
func (c *compacted) lookIn(path, name string) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == c.read[path] {
		return
	}
	f, _, err := lines.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	c.look(f, info.Size(), path, name)
}

// lookInJournal is lookIn of what the journal has of a transcript that is gone.
func (c *compacted) lookInJournal(j *journal.Journal, session, name string) {
	file, err := j.Stat(session)
	if err != nil || file.Size == c.read[session] {
		return
	}
	content, err := j.Content(session)
	if err != nil {
		return
	}
	defer content.Close()
	c.look(content, file.Size, session, name)
}

func (c *compacted) look(f io.ReaderAt, size int64, key, name string) {
	l := lines.Peek(f)
	l.Max = 1 << 20 // a longer line is none
	if from := c.read[key]; size > from {
		l.GoTo(from, 0)
	}
	for {
		line, err := l.Next()
		if err != nil {
			break
		}
		if !bytes.Contains(line, []byte("compact_boundary")) {
			continue
		}
		uuid := schema.FieldString(line, "uuid")
		if uuid == "" { // a journal's line
			uuid = schema.FieldString(schema.Field(line, "extra"), "uuid")
		}
		if hash := hashOf(uuid); hash != 0 && !slices.Contains(c.in[hash], name) {
			c.in[hash] = append(c.in[hash], name)
		}
	}
	c.read[key] = l.Offset()
}

package transcript

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/schema"
)

// compacted knows in which files of a folder compactions end. Each file is read once, and
// what it grew by, as soon as somebody asks.
type compacted struct {
	looked time.Time           // at the files' sizes
	read   map[string]int64    // by path, up to where
	in     map[uint64][]string // file names, by the uuid of the line that ends a compaction
}

// compactedEvery is how often is looked whether files grew. A fork's file is read no earlier
// than forkSettles after it was made, and what it copies was there before.
const compactedEvery = forkSettles / 2

// files are those that have the line with a uuid; home is where the journals are of those
// that are gone.
func (c *compacted) files(uuid, dir, home string, heads map[string]head) []string {
	if uuid == "" {
		return nil
	}
	if c.read == nil {
		c.read, c.in = map[string]int64{}, map[uint64][]string{}
	}
	if time.Since(c.looked) >= compactedEvery {
		for name, h := range heads {
			where := filepath.Join(dir, name)
			if h.gone != "" {
				where = journalPath(home, h.gone)
			}
			c.look(where, name)
		}
		c.looked = time.Now()
	}
	return c.in[hashOf(uuid)]
}

// look reads what is new in a file. What cannot be read has none.
func (c *compacted) look(path, name string) {
	info, err := os.Stat(path)
	from := c.read[path]
	if err != nil || info.Size() == from {
		return
	}
	f, _, err := lines.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	l := lines.Peek(f)
	l.Max = 1 << 20 // a longer line is none
	if info.Size() > from {
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
	c.read[path] = l.Offset()
}

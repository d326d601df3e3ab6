package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dumps measures the import of an audit dump of one session into journal and SQLite: of
// records as in the repository's dump, whose prompts are a line long, and of records with
// prompts and requests as long as agents have them.
func (b *bench) dumps() error {
	size := int64(1_000_000_000 / b.scale)
	for _, c := range []struct {
		name    string
		prompts bool
	}{{"prompts of 4 kB and requests of 12 kB", true}, {"prompts of one line", false}} {
		base, err := readDump(c.prompts)
		if err != nil {
			return err
		}
		path, home := filepath.Join(b.dir, "trace-260301_101500.jsonl"), filepath.Join(b.dir, "dump-home")
		if err := base.write(path, size); err != nil {
			return err
		}
		u, did, err := b.importOf(path, home, "--format", "audit")
		if err != nil {
			return err
		}
		mb, seconds := float64(did.JSONL.Bytes)/1e6, u.Wall.Seconds()
		name := fmt.Sprintf("import of an audit dump of %.0f MB, %s", mb, c.name)
		b.table.add(name, "≥ 40 MB/s", fmt.Sprintf("%.1f MB/s (%.0f lines/s, %.0f events/s; journal %.1f s, store %.1f s, CPU %.1f s)",
			mb/seconds, float64(did.JSONL.Lines)/seconds, float64(did.JSONL.Events)/seconds, did.JSONL.Duration.Seconds(),
			did.Store.Duration.Seconds(), u.CPU.Seconds()), mb/seconds >= 40)
		b.rss("the same, peak RSS", 200, u.MaxRSS)
		for _, made := range []string{path, home} {
			if err := os.RemoveAll(made); err != nil {
				return err
			}
		}
	}
	return nil
}

// dump is a recorded audit dump, to be written again and again with run ids and times of
// its own.
type dump struct {
	parts []string
	fill  []string // what stands between the parts: a run id, or a time
	span  time.Duration
}

const dumpTime = "2006-01-02T15:04:05.000000Z07:00"

// readDump reads the dump in the repository; prompts makes its prompts and requests long.
func readDump(prompts bool) (*dump, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(root, "adapters", "jsonl", "testdata", "audit", "trace-260301_101500.jsonl"))
	if err != nil {
		return nil, err
	}
	text := string(raw)
	if prompts {
		for _, long := range []struct {
			before string
			size   int
		}{{`"system_prompt": "`, 4_000}, {`"messages": [{"role": "user", "content": "`, 12_000}} {
			const line = "When the tests of a change fail, read what they say before you change more.\\n"
			text = strings.ReplaceAll(text, long.before, long.before+strings.Repeat(line, long.size/len(line)))
		}
	}
	d := &dump{}
	var first, last time.Time
	at := 0
	for _, m := range regexp.MustCompile(`run-\d+-\d+|20\d\d-[0-9-]{5}T[0-9:.]{15}[+-][0-9:]{5}`).FindAllStringIndex(text, -1) {
		value := text[m[0]:m[1]]
		if t, err := time.Parse(dumpTime, value); err == nil {
			if first.IsZero() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
		d.parts, d.fill = append(d.parts, text[at:m[0]]), append(d.fill, value)
		at = m[1]
	}
	d.parts = append(d.parts, text[at:])
	if d.span = last.Sub(first) + time.Minute; last.IsZero() {
		return nil, fmt.Errorf("the dump has no time like %s", dumpTime)
	}
	return d, nil
}

// write makes a dump of about so many bytes.
func (d *dump) write(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	for written, copies := int64(0), 0; written < size; copies++ {
		for i, value := range d.fill {
			if t, err := time.Parse(dumpTime, value); err == nil {
				value = t.Add(time.Duration(copies) * d.span).Format(dumpTime)
			} else {
				value += "-" + strconv.Itoa(copies)
			}
			out.WriteString(d.parts[i])
			out.WriteString(value)
			written += int64(len(d.parts[i]) + len(value))
		}
		n, _ := out.WriteString(d.parts[len(d.parts)-1])
		written += int64(n)
	}
	return out.Flush()
}

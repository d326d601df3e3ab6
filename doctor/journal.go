package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// day is how far back checks look that are about how it goes, not about what there is.
const day = 24 * time.Hour

// latest lists the journal's sessions, those first in which something happened last.
func (e *exam) latest() ([]journal.File, error) {
	j, err := e.journal()
	if err != nil || j == nil {
		return nil, err
	}
	all, err := j.Files()
	slices.SortStableFunc(all, func(a, b journal.File) int { return b.ModTime.Compare(a.ModTime) })
	return all, err
}

// The share of a journal that is read for torn lines: the latest sessions, which tell how
// it goes now. Reading all of it would take as long as there are years in it.
const (
	tornBytes = 256 << 20
	tornTime  = time.Second
)

// tornLines reads the latest sessions, as bytes. A torn line is what a writer left that was killed
// in the middle of a write; it stays, and so only those of the last day are worth a warning.
func tornLines(ctx context.Context, e *exam) []Check {
	all, err := e.sessions()
	if err != nil {
		return fail("make it readable for this user", "%v", err)
	}
	if len(all) == 0 {
		return ok("nothing is recorded yet")
	}
	j, _ := e.journal()
	ctx, cancel := context.WithTimeout(ctx, tornTime)
	defer cancel()
	var read, size int64
	var looked, torn, fresh int
	for _, f := range all {
		size += f.Size
		if read > tornBytes || ctx.Err() != nil {
			continue
		}
		n, err := tornIn(ctx, j, f.Session)
		if err != nil {
			return fail("make it readable for this user: chown, chmod 600", "session %s cannot be read: %v", f.Session, err)
		}
		looked++
		read += f.Size
		if torn += n; n > 0 && e.now.Sub(f.ModTime) < day {
			fresh += n
		}
	}
	what := fmt.Sprintf("%s, %s", plural(len(all), "session", "sessions"), render.Bytes(size))
	if looked < len(all) {
		what += fmt.Sprintf(", of which the latest %d were read", looked)
	}
	switch {
	case fresh > 0:
		return warn("look for what kills ag-hook: a timeout in its settings, a limit of memory, a full disk; nothing that was acknowledged is lost",
			"%s torn in sessions of the last day: a hook died while it wrote", plural(fresh, "line is", "lines are"))
	case torn > 0:
		return ok("%s; %s torn, none of the last day", what, plural(torn, "line is", "lines are"))
	}
	return ok("%s; no line is torn", what)
}

// tornIn counts the torn lines of a session. It stops where ctx ends.
func tornIn(ctx context.Context, j *journal.Journal, session string) (int, error) {
	c, err := j.Read(session, journal.Position{})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // removed meanwhile
	}
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for n := 0; ; n++ {
		if n%1000 == 999 && ctx.Err() != nil {
			return c.Torn(), nil
		}
		if _, err := c.Next(); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, journal.ErrReplaced) {
				err = nil
			}
			return c.Torn(), err
		}
	}
}

// ahead is how far the clock of what was recorded may be before ours: more than what
// ticks apart in a virtual machine.
const ahead = time.Minute

// clock compares the times of what was recorded last with the time it is. What is in
// the future was recorded before the clock was put back, and is told in a wrong order.
func clock(_ context.Context, e *exam) []Check {
	all, err := e.sessions()
	if err != nil || len(all) == 0 {
		return ok("nothing is recorded yet")
	}
	const cure = "set the clock (timedatectl set-ntp true, or the system's settings); what was recorded keeps its times"
	for _, f := range all[:min(len(all), 3)] {
		if skew := f.ModTime.Sub(e.now); skew > ahead {
			return warn(cure, "the file of session %s was written %v from now: the clock of its disk, or ours, is wrong", f.Session, skew.Round(time.Second))
		}
		at := e.lastOf(f)
		if skew := at.Sub(e.now); skew > ahead {
			return warn(cure, "the last event of session %s is %v from now: the clock was put back since, or is wrong", f.Session, skew.Round(time.Second))
		}
	}
	return ok("what was recorded last is not in the future")
}

// lastBytes is how much of the end of a file is looked at for its last record.
const lastBytes = 64 << 10

// lastOf is the time of a session's last record.
func (e *exam) lastOf(f journal.File) time.Time {
	j, err := e.journal()
	if err != nil || j == nil {
		return time.Time{}
	}
	c, err := j.Content(f.Session)
	if err != nil {
		return time.Time{}
	}
	defer c.Close()
	return lastTime(c, f.Size)
}

// lastTime is the time of the last record; zero where that is longer than lastBytes.
func lastTime(f io.ReaderAt, size int64) time.Time {
	from := max(0, size-lastBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, size-from))
	if err != nil {
		return time.Time{}
	}
	lines := bytes.Split(text, []byte{'\n'})
	for _, line := range slices.Backward(lines) {
		var r struct {
			Timestamp time.Time `json:"timestamp"`
		}
		if json.Unmarshal(line, &r) == nil && !r.Timestamp.IsZero() {
			return r.Timestamp
		}
	}
	return time.Time{}
}

// recordedProbes counts the events of a probe in a home, and whether each is what a hook
// makes of it.
func recordedProbes(home, probe string) (n int, err error) {
	j, err := openJournal(home)
	if err != nil || j == nil {
		return 0, err
	}
	c, err := j.Read(probe, journal.Position{})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for {
		line, err := c.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if event, err := schema.Decode(line); err == nil && event.SessionID == probe {
			n++
		}
	}
}

package doctor

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// logFile is where ag-hook says what went wrong, below the home: a line of JSON each.
const logFile = "hook.log"

// logLine is what is looked at of a line.
type logLine struct {
	Timestamp time.Time `json:"timestamp"`
	Level     string    `json:"level"` // ERROR: an event is lost; WARNING: it is recorded all the same
	Message   string    `json:"message"`
	Error     string    `json:"error_message"`
	Cure      string    `json:"cure"`
}

func (l logLine) String() string {
	text := l.Timestamp.Local().Format(time.DateTime) + " " + l.Message
	if l.Error != "" {
		text += ": " + l.Error
	}
	return text
}

// hookLog counts what ag-hook could not record in the last day. It fails while nothing
// was recorded since: then it goes on.
func hookLog(_ context.Context, e *exam) []Check {
	errs, warnings, newest, err := readLog(e.Home, e.now.Add(-day))
	if err != nil {
		return fail("make it readable for this user", "%v", err)
	}
	if errs == 0 {
		if warnings > 0 {
			return ok("no event is lost in the last day; %s", plural(warnings, "warning", "warnings"))
		}
		return ok("no event is lost in the last day")
	}
	cure := newest.Cure
	if cure == "" {
		cure = "see what it says"
	}
	cure += "; once it is well remove " + filepath.Join(e.Home, logFile)
	sessions, _ := e.sessions()
	if len(sessions) > 0 && sessions[0].ModTime.After(newest.Timestamp) {
		return warn(cure, "%s in the last day; others were recorded since; the last: %s", plural(errs, "event was lost", "events were lost"), newest)
	}
	return fail(cure, "%s in the last day, and nothing was recorded since: %s", plural(errs, "event was lost", "events were lost"), newest)
}

// readLog counts the lines since a time, and returns the newest error.
func readLog(home string, since time.Time) (errs, warnings int, newest logLine, err error) {
	for _, name := range []string{logFile + ".1", logFile} {
		f, err := os.Open(filepath.Join(home, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return errs, warnings, newest, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var l logLine
			if json.Unmarshal(lines.Bytes(), &l) != nil || !l.Timestamp.After(since) {
				continue
			}
			if strings.EqualFold(l.Level, "ERROR") {
				errs, newest = errs+1, l
			} else {
				warnings++
			}
		}
		f.Close()
		if err := lines.Err(); err != nil {
			return errs, warnings, newest, err
		}
	}
	return errs, warnings, newest, nil
}

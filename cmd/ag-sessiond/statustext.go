package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/transcript"
)

// lastLines returns the last n lines of a small file; none where there is no file.
func lastLines(path string, n int) []string {
	b, err := os.ReadFile(path)
	if err != nil {
		return []string{}
	}
	var lines []string
	for line := range bytes.Lines(b) {
		if line = bytes.TrimSpace(line); len(line) > 0 { // a line that was forgotten is blank
			lines = append(lines, string(line))
		}
	}
	return list(lines[max(0, len(lines)-n):])
}

func (a *app) printStatus(s statusReport) {
	field := func(name, format string, args ...any) {
		a.printf("%-10s", name)
		a.printf(format+"\n", args...)
	}
	j, st := s.Journal, s.Store
	field("home", "%s", render.OneLine(s.Home))
	field("journal", "%s in %s, %s", render.Plural(j.Events, "event"), render.Plural(int64(j.Sessions), "session"), render.Bytes(j.Bytes))
	if p := j.Packed; p.Sessions > 0 {
		field("packed", "%s, %s in files of %s", render.Plural(int64(p.Sessions), "session"), render.Bytes(p.Bytes), render.Bytes(p.Stored))
	}
	if j.Bytes > 0 {
		field("growth", "%s in the last 7 days, %s in the last 30", render.Bytes(j.Growth.Week), render.Bytes(j.Growth.Month))
	}
	if !j.LastEventAt.IsZero() {
		field("last", "%s", render.Time(j.LastEventAt))
	}
	if j.TornLines > 0 {
		field("torn", "%s skipped: left by writers that were killed, never acknowledged", render.Plural(j.TornLines, "line"))
	}
	if s.Scrub != nil {
		field("scrub", "of secrets begun %s and not finished: ag-sessiond secrets scrub goes on, and so does a daemon", render.Time(s.Scrub.Started))
	}
	if j.Unreadable > 0 {
		field("unread", "%s cannot be read", render.Plural(int64(j.Unreadable), "journal file"))
	}
	switch {
	case st.Error != "":
		field("store", "%s", render.OneLine(st.Error))
	case st.Older && s.Daemon.Running:
		field("store", "an earlier version wrote it, and the daemon is of that one: stop it and start it again, and it is made anew")
	case st.Older:
		field("store", "an earlier version wrote it; the next reading verb makes it anew")
	case !st.Exists && s.Daemon.Running:
		field("store", "not made yet; the daemon makes it")
	case !st.Exists:
		field("store", "not made yet; the first reading verb makes it")
	default:
		field("store", "%s, %s, %s", render.Plural(st.Sessions, "session"), render.Plural(st.Actions, "action"), render.Bytes(st.Bytes))
	}
	a.printAsides(st.Aside, field)
	if st.Exists && st.Error == "" && !st.Older {
		field("position", "%s of %s of journal", render.Bytes(st.Position), render.Bytes(j.Bytes))
	}
	if st.LagBytes > 0 {
		who := "the next reading verb or sync"
		if s.Daemon.Running {
			who = "the daemon"
		}
		events := ""
		if len(s.Stores) > 0 && s.Stores[0].Lag != nil && s.Stores[0].Lag.Bytes > 0 {
			events = " " + lagEvents(*s.Stores[0].Lag) + ";"
		}
		field("behind", "%s of journal in %s;%s %s folds it", render.Bytes(st.LagBytes), render.Plural(int64(st.LagSessions), "session"), events, who)
	} else if st.Exists && st.Error == "" {
		field("behind", "nothing")
	}
	if len(s.Stores) > 0 && s.Stores[0].Kept {
		a.printActivity(s.Stores[0])
	}
	if s.Daemon.Running {
		field("daemon", "running: %s", render.OneLine(s.Daemon.Detail))
	} else {
		field("daemon", "not running (none is needed)")
	}
	a.printPolicy(s.Policy, field)
	a.printForgotten(s.Forgotten, field)
	a.printConfigHealth(s.Config)
	a.printAPI(s.API)
	if s.Metrics != nil {
		field("metrics", "http://%s/metrics", s.Metrics.Address)
	}
	field("version", "%s, event protocol %d, %s", s.Versions.Version, s.Versions.Protocol, s.Versions.Go)
	a.printFollowed("transcript", s.Transcripts)
	a.printFollowed("JSONL file", (*transcript.Health)(s.Sources))
	a.printConfigured(s.Configured)
	a.printSkipped(s.Skipped)
	for _, h := range s.Stores[min(1, len(s.Stores)):] {
		a.printGraph(h, s)
	}
	if len(s.HookLog) > 0 {
		a.printf("\nhook.log, last lines:\n")
		for _, line := range s.HookLog {
			a.printf("  %s\n", hookLogLine(line))
		}
	}
}

// hookLogLine is a line of hook.log for people: time level message: error (cure). It
// is whole, as the cure is what somebody looks for.
func hookLogLine(line string) string {
	var l struct {
		Timestamp    time.Time `json:"timestamp"`
		Level        string    `json:"level"`
		Message      string    `json:"message"`
		ErrorMessage string    `json:"error_message"`
		Cure         string    `json:"cure"`
	}
	if json.Unmarshal([]byte(line), &l) != nil || l.Message == "" {
		return render.OneLine(line)
	}
	text := strings.TrimSpace(render.Time(l.Timestamp) + " " + l.Level + " " + l.Message)
	if l.ErrorMessage != "" {
		text += ": " + l.ErrorMessage
	}
	if l.Cure != "" {
		text += " (" + l.Cure + ")"
	}
	return render.OneLine(text)
}

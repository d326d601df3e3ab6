package doctor

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestTornLines(t *testing.T) {
	p := newPatient(t)
	whole, err := os.ReadFile(p.file("well"))
	p.check(err)
	p.check(os.WriteFile(p.file("torn"), append(whole, "\n{\"session_id\":\"tor\n{\n"...), 0o600))
	p.want("journal", Warn, "2 lines are torn", "look for what kills ag-hook")
	old := time.Now().Add(-25 * time.Hour)
	p.check(os.Chtimes(p.file("torn"), old, old))
	p.want("journal", OK, "2 lines are torn, none of the last day")
	p.check(os.Remove(p.file("torn")))
	p.want("journal", OK, "no line is torn")
}

// TestClock: what was recorded by a clock that was ahead.
func TestClock(t *testing.T) {
	p := newPatient(t)
	p.want("clock", OK)
	p.record("SessionStart", "ahead", time.Now().Add(2*time.Hour))
	p.want("clock", Warn, "session ahead", "set the clock")
	p.check(os.Remove(p.file("ahead")))
	p.want("clock", OK)
	then := time.Now().Add(time.Hour)
	p.check(os.Chtimes(p.file("well"), then, then))
	p.want("clock", Warn, "the file of session well", "set the clock")
	p.Now = func() time.Time { return then } // it was set
	p.want("clock", OK)
}

// TestLastTime: the last whole line that says when, however the file ends.
func TestLastTime(t *testing.T) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	line := `{"timestamp":"2026-02-03T04:05:06Z"}`
	long := make([]byte, 2*lastBytes)
	for text, want := range map[string]time.Time{
		"\n" + line + "\n":                          at,
		"\n" + line + "\n\n{\"timestamp\":\"2027-0": at,
		"\n" + line + "\n" + string(long):           {},
		"":                                          {},
		"\n[1]\n" + line + "\nnull\n":               at,
		string(long) + "\n" + line + "\n{\"a\":1}\n\n": at,
	} {
		if got := lastTime(strings.NewReader(text), int64(len(text))); !got.Equal(want) {
			t.Errorf("%.80q: %v, want %v", text, got, want)
		}
	}
}

func TestHookLog(t *testing.T) {
	p := newPatient(t)
	line := func(at time.Time, level, message string) string {
		return `{"timestamp":"` + at.UTC().Format(time.RFC3339Nano) + `","level":"` + level + `","message":"` + message + `","error_message":"ENOSPC","cure":"free some space"}` + "\n"
	}
	now := time.Now()
	p.want("hook.log", OK)
	p.write("home/hook.log", line(now.Add(-25*time.Hour), "ERROR", "event lost")+line(now, "WARNING", "odd"))
	p.want("hook.log", OK, "1 warning")
	p.write("home/hook.log", "{torn\n"+line(now.Add(-2*time.Hour), "ERROR", "event lost")+line(now.Add(-time.Hour), "ERROR", "the last")+"{")
	p.want("hook.log", Warn, "2 events were lost in the last day; others were recorded since", "the last: ENOSPC", "free some space; once it is well remove")
	p.write("home/hook.log", line(now.Add(time.Second), "ERROR", "the last"))
	p.want("hook.log", Fail, "1 event was lost in the last day, and nothing was recorded since", "free some space")
	p.check(os.Rename(p.path("home/hook.log"), p.path("home/hook.log.1")))
	p.want("hook.log", Fail, "1 event was lost")
	p.remove("home/hook.log.1")
	p.want("hook.log", OK)
}

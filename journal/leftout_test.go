package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// excluding opens a home where folders are excluded.
func excluding(t *testing.T, folders ...string) (*Journal, *redact.Redactor) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	j, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	if err := policy.Write(home, policy.Rules{ExcludeProjects: folders}, policy.Stamp{}); err != nil {
		t.Fatal(err)
	}
	return j, j.Redactor("")
}

func in(session, id, dir string) schema.Event {
	return schema.Event{V: 1, EventID: id, EventType: schema.Message, SessionID: session, Timestamp: time.Unix(0, 0), WorkingDirectory: dir}
}

func counted(t *testing.T, j *Journal, want LeftOut) {
	t.Helper()
	if got, err := ReadLeftOut(j.Home()); err != nil || got != want {
		t.Errorf("left out %+v, %v, want %+v", got, err, want)
	}
}

// TestAppendOfWhatIsLeftOut: a session is left out whole from its first line on, also where
// that does not say where it is, and whatever its lines came with.
func TestAppendOfWhatIsLeftOut(t *testing.T) {
	j, r := excluding(t, "/secret")
	mustAppend(t, j,
		r.Event(in("a", "1", "")), r.Event(in("b", "2", "")), r.Event(in("a", "3", "/secret")),
		r.Event(in("a", "4", "/tmp")), r.Event(in("b", "5", "/tmp")), r.Event(in("b", "6", "/secret")), r.Event(in("b", "7", "")))
	mustAppend(t, j, r.Event(in("a", "8", "")), r.Event(in("a", "9", "/elsewhere")))
	mustAppend(t, j, r.Event(in("a", "3", "/secret"))) // read again
	if _, err := os.Stat(filepath.Join(Dir(j.Home()), "a"+Suffix)); !os.IsNotExist(err) {
		t.Errorf("a has a file: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(Dir(j.Home()), "b"+Suffix))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"2": true, "5": true, "6": false, "7": true} {
		if got := bytes.Contains(data, []byte(`"event_id":"`+id+`"`)); got != want {
			t.Errorf("event %s is recorded: %v", id, got)
		}
	}
	counted(t, j, LeftOut{Sessions: 1, Parts: 1, Events: 6})
	if err := j.SyncAll([]string{"a", "b"}); err != nil {
		t.Errorf("what is left out cannot be synced: %v", err)
	}
	if err := j.Sync("c"); err == nil {
		t.Error("a session that nobody knows was synced")
	}
}

// TestAppendToAFileOfWhatIsLeftOut: a session that was left out whole has a file where it went
// on while there was no rule. Then what nobody can place is left out; a reader's position is not.
func TestAppendToAFileOfWhatIsLeftOut(t *testing.T) {
	j, r := excluding(t, "/secret")
	mustAppend(t, j, r.Event(in("a", "1", "/secret")))
	if !j.StaysOut("a") || j.StaysOut("b") {
		t.Error("not a, but b stays out")
	}
	mustAppend(t, j, redact.New(redact.Options{}).Event(in("a", "2", "/tmp"))) // counted: it stays out
	f, err := j.openAppend("a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	position := in("a", "6", "")
	position.EventType = schema.SourcePosition
	near, _ := r.AppendEventNear(nil, in("a", "7", ""), "/tmp")
	out, _ := r.AppendEventNear(nil, in("a", "8", ""), "/secret")
	mustAppend(t, j, r.Event(in("a", "3", "/tmp")), r.Event(in("a", "4", "")), r.Event(in("a", "5", "")), r.Event(position), near, out)
	data, err := os.ReadFile(filepath.Join(Dir(j.Home()), "a"+Suffix))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"3": true, "4": false, "5": false, "6": true, "7": true, "8": false} {
		if got := bytes.Contains(data, []byte(`"event_id":"`+id+`"`)); got != want {
			t.Errorf("event %s is recorded: %v", id, got)
		}
	}
	if j.StaysOut("a") {
		t.Error("a has a file")
	}
	counted(t, j, LeftOut{Sessions: 1, Events: 5})
}

// TestNobodysSessionStaysOut: events that name no session are filed together, and have
// nothing to do with each other.
func TestNobodysSessionStaysOut(t *testing.T) {
	j, r := excluding(t, "/secret")
	mustAppend(t, j, r.Event(in(noSession, "1", "/secret")))
	mustAppend(t, j, r.Event(in(noSession, "2", "/tmp")))
	if files, err := j.Files(); err != nil || len(files) != 1 {
		t.Error(files, err)
	}
	counted(t, j, LeftOut{Parts: 1, Events: 1})
}

// TestLeftOutByMany: many writers at once count each event once.
func TestLeftOutByMany(t *testing.T) {
	j, r := excluding(t, "/secret")
	mustAppend(t, j, r.Event(in("a", "first", "/secret")))
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i := range 50 {
				if err := j.Append(r.Event(in("a", fmt.Sprint(w, " ", i), "/secret"))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	counted(t, j, LeftOut{Sessions: 1, Events: 801})
}

// TestLeftOutIsBounded: what is read again and again does not fill the disk.
func TestLeftOutIsBounded(t *testing.T) {
	j, r := excluding(t, "/secret")
	mustAppend(t, j, r.Event(in("a", "1", "/secret")))
	path := j.leftOutPath("a")
	if err := os.Truncate(path, maxLeftOut); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, r.Event(in("a", "2", "/secret")))
	if info, err := os.Stat(path); err != nil || info.Size() != maxLeftOut {
		t.Error(info.Size(), err)
	}
}

package forget

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// crowded makes a home in which nobody has events of two projects, one of them torn.
func crowded(t *testing.T) (*journal.Journal, time.Time) {
	t.Helper()
	j, at := open(t), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i, dir := range []string{"/w/acme", "/w/other", "/w/acme/sub", "/w/acmeister"} {
		record(t, j, schema.Event{SessionID: nobody, WorkingDirectory: dir, Timestamp: at.Add(time.Duration(i) * time.Hour), Content: fmt.Sprintf("said%d", i)})
	}
	record(t, j, schema.Event{SessionID: nobody, Timestamp: at.Add(4 * time.Hour), Content: "said4 of /w/acme/x.go"})
	f, err := os.OpenFile(filepath.Join(journal.Dir(j.Home()), nobody+journal.Suffix), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\n" + `{"v":1,"working_directory":"/w/acme","content":"said5` + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return j, at
}

// TestNobody: what names no session goes line by line: that of the project, that of before, or all;
// also where the Do was killed, and somewhere else is gone on with it. What is said next is recorded.
func TestNobody(t *testing.T) {
	texts := []string{"said0", "said1", "said2", "said3", "said4", "said5"}
	for _, c := range []struct {
		name   string
		filter func(at time.Time) Filter
		gone   string // which of the texts
		events int64
	}{
		{"project", func(time.Time) Filter { return Filter{Project: "/w/acme"} }, "0245", 3},
		{"before", func(at time.Time) Filter { return Filter{Before: at.Add(2 * time.Hour)} }, "01", 2},
		{"both", func(at time.Time) Filter { return Filter{Project: "/w/acme", Before: at.Add(2 * time.Hour)} }, "0", 1},
		{"by id", func(time.Time) Filter { return Filter{Sessions: []string{nobody}} }, "012345", 5},
		{"a tag", func(time.Time) Filter { return Filter{Tag: "x"} }, "", 0},
		{"another", func(time.Time) Filter { return Filter{Sessions: []string{"other"}} }, "", 0},
	} {
		for _, killed := range []bool{false, true} {
			j, at := crowded(t)
			found, err := Find(context.Background(), j, c.filter(at), at.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if n := found.Events(); n != c.events {
				t.Errorf("%s: %d events, want %d", c.name, n, c.events)
			}
			if killed {
				w := workOn(found)
				if err := w.begin(j.Home()); err != nil {
					t.Fatal(err)
				}
				err = Resume(j)
			} else {
				err = Do(j, found, "forget", at)
			}
			if err != nil {
				t.Fatal(err)
			}
			gone := ""
			for i, text := range texts {
				if len(tracesIn(t, j.Home(), text)) == 0 {
					gone += fmt.Sprint(i)
				}
			}
			if gone != c.gone {
				t.Errorf("%s, killed %v: %s is gone, want %s", c.name, killed, gone, c.gone)
			}
			if c.name == "project" && len(tracesIn(t, j.Home(), "/w/acme/", `/w/acme"`)) > 0 {
				t.Errorf("%s, killed %v: the project is named", c.name, killed)
			}
			record(t, j, schema.Event{SessionID: nobody, WorkingDirectory: "/w/acme", Timestamp: at, Content: "afterwards"})
			if len(tracesIn(t, j.Home(), "afterwards")) != 1 {
				t.Errorf("%s: what came afterwards is not recorded", c.name)
			}
		}
	}
}

// TestProjectElsewhere: who resumes need not be where the project was named.
func TestProjectElsewhere(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	j := open(t)
	record(t, j, schema.Event{SessionID: goneID, WorkingDirectory: here, Timestamp: time.Unix(1, 0)})
	found, err := Find(context.Background(), j, Filter{Project: "."}, time.Unix(2, 0))
	if err != nil || len(found.Sessions) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if w := workOn(found); w.Project != here {
		t.Errorf("the work is of %q, want %q", w.Project, here)
	}
}

package forget

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

func open(t testing.TB) *journal.Journal {
	t.Helper()
	j, err := journal.Open(filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

type appender interface {
	Fatal(...any)
	Helper()
}

func record(t appender, j *journal.Journal, events ...schema.Event) {
	t.Helper()
	r := j.Redactor("")
	for i, e := range events {
		if e.EventType == "" {
			e.EventType = schema.Message
		}
		if e.EventID == "" {
			e.EventID = schema.EventID("test", "e", e.SessionID, fmt.Sprint(i), e.Timestamp.String(), e.WorkingDirectory, fmt.Sprint(e.Tags, e.Status))
		}
		e.V, e.SourceSDK, e.Origin, e.Actor = schema.Version, "test", schema.OriginAPI, schema.ActorUser
		if err := j.Append(r.Event(e)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFindProperty: of any sessions exactly those are chosen of which all holds that is asked
// for, by an oracle that knows what was recorded and reads no journal.
func TestFindProperty(t *testing.T) {
	root := t.TempDir()
	epoch := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return epoch.AddDate(0, 0, n) }
	homes := 0
	rapid.Check(t, func(t *rapid.T) {
		homes++
		j, err := journal.Open(filepath.Join(root, fmt.Sprint(homes)))
		if err != nil {
			t.Fatal(err)
		}
		dirs := []string{"", "/w/acme", "/w/acme/api", "/w/acme-two", "/w", "/w/other", `/w/ac"me`}
		tags := []string{"keep", "scratch"}
		type known struct {
			last time.Time
			dirs map[string]bool
			tags map[string]bool
		}
		all := map[string]*known{}
		for i := range rapid.IntRange(1, 6).Draw(t, "sessions") {
			id := fmt.Sprintf("session-%d", i)
			k := &known{dirs: map[string]bool{}, tags: map[string]bool{}}
			all[id] = k
			for n := range rapid.IntRange(1, 4).Draw(t, "events") {
				e := schema.Event{SessionID: id, Timestamp: day(rapid.IntRange(0, 30).Draw(t, "day")).Add(time.Duration(n) * time.Second),
					WorkingDirectory: rapid.SampledFrom(dirs).Draw(t, "dir")}
				if e.Timestamp.After(k.last) {
					k.last = e.Timestamp
				}
				if e.WorkingDirectory != "" {
					k.dirs[e.WorkingDirectory] = true
				}
				record(t, j, e)
			}
			if tag := rapid.SampledFrom(append(tags, "")).Draw(t, "tag"); tag != "" {
				at := k.last.Add(time.Hour)
				k.tags[tag] = true
				record(t, j, schema.Event{EventType: schema.Tag, SessionID: id, Timestamp: at, Tags: []string{tag}})
				if rapid.Bool().Draw(t, "untag") {
					k.tags[tag] = false
					record(t, j, schema.Event{EventType: schema.Tag, SessionID: id, Timestamp: at.Add(time.Minute), Tags: []string{tag}, Status: "removed"})
				}
			}
		}
		f := Filter{Project: rapid.SampledFrom([]string{"", "/w/acme", "/w", `/w/ac"me`}).Draw(t, "project"),
			Tag: rapid.SampledFrom([]string{"", "scratch"}).Draw(t, "with")}
		if rapid.Bool().Draw(t, "aged") {
			f.Before = day(rapid.IntRange(0, 31).Draw(t, "before"))
		}
		if rapid.Bool().Draw(t, "keeping") {
			f.KeepTags = []string{"keep"}
		}
		if rapid.Bool().Draw(t, "named") {
			f.Sessions = []string{"session-0", "session-3"}
		}
		var want, wantDirs []string
		for id, k := range all {
			in := f.Project == "" && (f.Tag != "" || !f.Before.IsZero() || f.Sessions != nil)
			for dir := range k.dirs {
				in = in || f.Project != "" && (dir == f.Project || strings.HasPrefix(dir, f.Project+"/"))
			}
			if in && (f.Before.IsZero() || k.last.Before(f.Before)) && (f.Tag == "" || k.tags[f.Tag]) &&
				(f.Sessions == nil || slices.Contains(f.Sessions, id)) && !(f.KeepTags != nil && k.tags["keep"]) {
				want = append(want, id)
			}
		}
		if f.Sessions != nil && all["session-3"] == nil && f.Project == "" && f.Tag == "" && f.Before.IsZero() {
			want = append(want, "session-3") // a store may have it
		}
		slices.Sort(want)
		for _, id := range want {
			if all[id] == nil {
				continue
			}
			for dir := range all[id].dirs {
				alone := len(strings.Trim(dir, "/")) >= 2
				for other, k := range all {
					for its := range k.dirs {
						alone = alone && (slices.Contains(want, other) || its != dir && !strings.HasPrefix(its, dir+"/"))
					}
				}
				if alone && !slices.Contains(wantDirs, dir) {
					wantDirs = append(wantDirs, dir)
				}
			}
		}
		slices.Sort(wantDirs)
		found, err := Find(context.Background(), j, f, day(40))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, s := range found.Sessions {
			got = append(got, s.SessionID)
			if k := all[s.SessionID]; k != nil && !s.LastAt.Equal(k.last) {
				t.Fatalf("%s: last %v, want %v", s.SessionID, s.LastAt, k.last)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
			t.Fatalf("%+v (-want +got):\n%s", f, diff)
		}
		if diff := cmp.Diff(append([]string{}, wantDirs...), found.Dirs); diff != "" {
			t.Fatalf("%+v: folders (-want +got):\n%s", f, diff)
		}
	})
}

// TestFindFolder: links are followed to the folder and from the sessions, one that is gone is
// found by what was recorded, and who only names something there is beside.
func TestFindFolder(t *testing.T) {
	j := open(t)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, link, gone := filepath.Join(dir, "real"), filepath.Join(dir, "link"), filepath.Join(dir, "go[n]e*")
	if err := os.MkdirAll(filepath.Join(real, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no links here") // Windows without the right
	}
	record(t, j,
		schema.Event{SessionID: "by-link", WorkingDirectory: filepath.Join(link, "sub"), Timestamp: at},
		schema.Event{SessionID: "by-path", WorkingDirectory: real, Timestamp: at.Add(1)},
		schema.Event{SessionID: "gone", WorkingDirectory: gone, Timestamp: at},
		schema.Event{SessionID: "goe", WorkingDirectory: filepath.Join(dir, "gone-too"), Timestamp: at},
		schema.Event{SessionID: "names-it", WorkingDirectory: dir + "/else", Timestamp: at, Content: "see " + real + "/x.go and " + real},
		schema.Event{SessionID: "names-another", WorkingDirectory: dir + "/else", Timestamp: at, Content: "see " + real + "ly/x.go"},
		schema.Event{SessionID: "wanders", WorkingDirectory: dir + "/else", Timestamp: at.Add(2)},
		schema.Event{SessionID: "wanders", WorkingDirectory: real + "/sub", Timestamp: at.Add(3)},
		schema.Event{SessionID: nobody, WorkingDirectory: real, Timestamp: at},
	)
	for project, want := range map[string][]string{
		link: {"by-link", "by-path", nobody, "wanders"}, real: {"by-link", "by-path", nobody, "wanders"}, gone: {"gone"}, filepath.Join(real, "sub"): {"by-link", "wanders"},
		filepath.Join(dir, "nothing"): nil,
	} {
		found, err := Find(context.Background(), j, Filter{Project: project}, at.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		var got, beside []string
		for _, s := range found.Sessions {
			got = append(got, s.SessionID)
			if !s.Running && s.SessionID != nobody {
				t.Errorf("%s was written just now, and is not said to run", s.SessionID)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", project, diff)
		}
		for _, b := range found.Beside {
			beside = append(beside, b.SessionID)
		}
		if project == real && !slices.Equal(beside, []string{"names-it"}) {
			t.Errorf("beside: %v", beside)
		}
	}
	if _, err := Find(context.Background(), j, Filter{Project: "/"}, at); err == nil {
		t.Error("the root of all was taken for a project")
	}
	for _, id := range []string{"", "../id", schema.PositionsID(1), schema.ProbeID(1)} {
		if _, err := Find(context.Background(), j, Filter{Sessions: []string{id}}, at); err == nil {
			t.Errorf("%q was taken for a session", id)
		}
	}
}

// TestFoundJSON: lists are arrays, also where nothing is in them.
func TestFoundJSON(t *testing.T) {
	found, err := Find(context.Background(), open(t), Filter{Tag: "none"}, time.Unix(1, 0))
	text, _ := json.Marshal(found)
	if want := `{"sessions":[],"beside":[],"forks":[],"kept":0,"directories":[]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

// TestFindDamaged: a session that cannot be read is chosen by its id, and by nothing else: it is
// named then.
func TestFindDamaged(t *testing.T) {
	j := open(t)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	record(t, j, schema.Event{SessionID: "whole", WorkingDirectory: "/w/acme", Timestamp: at})
	if err := os.WriteFile(filepath.Join(journal.Dir(j.Home()), "damaged.jsonl.zst"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		f     Filter
		want  string
		fails bool
	}{
		{Filter{Sessions: []string{"damaged"}}, "damaged", false},
		{Filter{Sessions: []string{"damaged"}, Before: at.AddDate(1, 0, 0)}, "", true},
		{Filter{Before: at.AddDate(1, 0, 0)}, "whole", true},
	} {
		found, err := Find(context.Background(), j, tc.f, at)
		got := ""
		for _, s := range found.Sessions {
			got += s.SessionID
		}
		if got != tc.want || (err != nil) != tc.fails || tc.fails && !strings.Contains(err.Error(), "session damaged: ") || found.Dirs == nil {
			t.Errorf("%+v: %q, %v", tc.f, got, err)
		}
	}
}

package forget

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

const parentID, forkID = "11111111-aaaa-4aaa-8aaa-000000000001", "22222222-bbbb-4bbb-8bbb-000000000002"

func second(n int) time.Time { return time.Date(2026, 3, 1, 10, 0, n, 0, time.UTC) }

func says(session, id string, n int) schema.Event {
	return schema.Event{SessionID: session, EventID: id, Timestamp: second(n), Role: schema.RoleUser, Content: "said " + id, WorkingDirectory: "/w/acme",
		Extra: []byte(`{"transcript_path":"/c/` + session + `.jsonl"}`)}
}

func forks(session, id string, n int, parent, at string) schema.Event {
	return schema.Event{SessionID: session, EventID: id, EventType: schema.Fork, Timestamp: second(n), ParentSessionID: parent, ParentEventID: at, Title: "label of " + session}
}

// related makes a session, its forks, of which one has copies and was recorded before anybody knew
// that it is one, forks of these, and a stranger.
func related(t *testing.T) *journal.Journal {
	t.Helper()
	j := open(t)
	record(t, j,
		says("eldest-of-all", "event-e1", 0), says("eldest-of-all", "event-e9", 90),
		forks(parentID, "fork-p", 0, "eldest-of-all", "event-e1"),
		says(parentID, "event-p2", 2), says(parentID, "event-p1", 1), says(parentID, "event-p3", 3), says(parentID, "event-p4", 4),
		schema.Event{SessionID: parentID, EventID: "tag-of-p", EventType: schema.Tag, Timestamp: second(1), Tags: []string{"mine"}},
		forks(forkID, "fork-f", 2, parentID, "event-p2"), says(forkID, "event-f5", 5),
		says("claude-fork", "event-p1", 1), says("claude-fork", "event-c6", 6), forks("claude-fork", "fork-c", 3, parentID, "event-p3"),
		forks("of-the-fork", "fork-o", 5, forkID, "event-f5"), says("of-the-fork", "event-o7", 7),
		forks("of-inherited", "fork-i", 1, forkID, "event-p1"), says("of-inherited", "event-i8", 8),
		says("stranger-to-all", "event-s1", 1))
	return j
}

// shown is the history of a session without what says how it came to be: the events' ids.
func shown(t *testing.T, j *journal.Journal, session string) string {
	t.Helper()
	log, err := history.Open(t.Context(), history.Journal(j), session, history.Point{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	err = log.Sorted(t.Context(), func(_ int, r *history.Record) error {
		switch r.EventType {
		case schema.Fork, schema.Tag, schema.SessionUpdate:
		default:
			ids = append(ids, r.EventID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(ids, " ")
}

func histories(t *testing.T, j *journal.Journal) map[string]string {
	out := map[string]string{}
	for _, id := range []string{"eldest-of-all", forkID, "claude-fork", "of-the-fork", "of-inherited", "stranger-to-all"} {
		out[id] = shown(t, j, id)
	}
	return out
}

func find(t *testing.T, j *journal.Journal, f Filter) Found {
	t.Helper()
	found, err := Find(context.Background(), j, f, time.Unix(1<<31, 0))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kept fails where a fork is not what it was, or something names what was forgotten.
func kept(t *testing.T, j *journal.Journal, before map[string]string, how string) {
	t.Helper()
	if diff := cmp.Diff(before, histories(t, j)); diff != "" {
		t.Errorf("%s (-before +after):\n%s", how, diff)
	}
	if left := tracesIn(t, j.Home(), parentID); len(left) > 0 {
		t.Errorf("%s: left: %q", how, left)
	}
	if _, err := os.Stat(begunPath(j.Home())); err == nil || !j.Forgotten(parentID) || j.Forgotten(forkID) {
		t.Errorf("%s: begun %v, forgotten %v", how, err, j.Forgotten(parentID))
	}
	file, err := os.ReadFile(filepath.Join(journal.Dir(j.Home()), forkID+".jsonl"))
	if err != nil || !bytes.Contains(file, []byte(`"parent_session_id":"eldest-of-all","parent_event_id":"event-e1"`)) ||
		!bytes.Contains(file, []byte("label of "+forkID)) || bytes.Contains(file, []byte("mine")) || bytes.Count(file, []byte(`"event_id":"event-p2"`)) != 1 {
		t.Errorf("%s: the fork is %s, %v", how, file, err)
	}
}

// TestForksKeepWhatTheyShare: what a fork shares with a session is its own before that one goes, and
// nothing names it any more.
func TestForksKeepWhatTheyShare(t *testing.T) {
	j := related(t)
	before := histories(t, j)
	if before["of-the-fork"] != "event-e1 event-p1 event-p2 event-f5 event-o7" || before["of-inherited"] != "event-e1 event-p1 event-i8" {
		t.Fatalf("before: %q", before)
	}
	// It had one of the copies twice: as its own, too.
	before["claude-fork"] = strings.Replace(before["claude-fork"], "event-p3 event-p1", "event-p3", 1)
	found := find(t, j, Filter{Sessions: []string{parentID}})
	want := []Fork{{"claude-fork", parentID}, {forkID, parentID}}
	slices.SortFunc(found.Forks, func(a, b Fork) int { return strings.Compare(b.SessionID, a.SessionID) })
	if diff := cmp.Diff(want, found.Forks); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := Do(j, found, "forget", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	kept(t, j, before, "at once")
}

// TestFreedAfterAKill: wherever who forgets is killed, the next one completes it.
func TestFreedAfterAKill(t *testing.T) {
	w := &work{Why: "forget", At: time.Unix(1, 0), Sessions: []string{parentID}, Forks: []string{forkID, "claude-fork"}}
	for how, steps := range map[string]func(j *journal.Journal) error{
		"begun":           func(*journal.Journal) error { return nil },
		"one is free":     func(j *journal.Journal) error { return w.freeOne(j, forkID) },
		"all are":         w.free,
		"the parent went": func(j *journal.Journal) error { _ = w.free(j); return j.Forget(w.Sessions, w.Why, w.At) },
		"one has copies": func(j *journal.Journal) error {
			return j.Append(j.Redactor("").Event(withAll(says(forkID, "event-p1", 1))))
		},
		"a file was put in the place of another": func(j *journal.Journal) error {
			path := filepath.Join(journal.Dir(j.Home()), forkID+".jsonl")
			if err := os.Link(path, path+".old"); err != nil {
				return err
			}
			if err := w.freeOne(j, "claude-fork"); err != nil {
				return err
			}
			old, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+".new", bytes.ReplaceAll(old, []byte(`"v":1,"event_id":"fork-f"`), []byte(`"v":1,"event_id":"fork-f2"`)), 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		j := related(t)
		before := histories(t, j)
		before["claude-fork"] = strings.Replace(before["claude-fork"], "event-p3 event-p1", "event-p3", 1)
		if err := w.begin(j.Home()); err != nil {
			t.Fatal(err)
		}
		if err := steps(j); err != nil {
			t.Fatal(err)
		}
		if err := Resume(j); err != nil {
			t.Fatal(err)
		}
		kept(t, j, before, how)
	}
}

func withAll(e schema.Event) schema.Event {
	e.V, e.EventType, e.SourceSDK, e.Origin, e.Actor = schema.Version, schema.Message, "test", schema.OriginAPI, schema.ActorUser
	return e
}

// A fork whose parents all go is a session of its own, with its label.
func TestForkWithoutAncestors(t *testing.T) {
	j := related(t)
	before := shown(t, j, forkID)
	if err := Do(j, find(t, j, Filter{Sessions: []string{parentID, "eldest-of-all"}}), "forget", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	log, err := history.Open(t.Context(), history.Journal(j), forkID, history.Point{})
	if err != nil || len(log.Segments) != 1 || log.Missing != "" || shown(t, j, forkID) != before {
		t.Errorf("%+v, %v: %s", log, err, shown(t, j, forkID))
	}
	if left := tracesIn(t, j.Home(), parentID, "eldest-of-all"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if parents, err := parentsOf(j, forkID); err != nil || len(parents) > 0 {
		t.Errorf("%q, %v", parents, err)
	}
}

func TestWithForks(t *testing.T) {
	j := related(t)
	record(t, j, schema.Event{SessionID: "claude-fork", EventType: schema.Tag, Timestamp: second(9), Tags: []string{"keep"}})
	found := find(t, j, Filter{Sessions: []string{parentID}, WithForks: true, KeepTags: []string{"keep"}})
	ids := found.ids()
	slices.Sort(ids)
	if diff := cmp.Diff([]string{parentID, forkID, "of-inherited", "of-the-fork"}, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(found.Forks) != 1 || found.Forks[0].SessionID != "claude-fork" || found.Kept != 1 {
		t.Errorf("%+v", found)
	}
	if err := Do(j, found, "forget", time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if left := tracesIn(t, j.Home(), ids...); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if got := shown(t, j, "claude-fork"); got != "event-e1 event-p1 event-p2 event-p3 event-c6" {
		t.Errorf("what stays is %s", got)
	}
}

func TestReplaceName(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "none": "none", `{"id":"abcdefgh"}`: `{"id":"NEW"}`, "/c/abcdefgh.jsonl abcdefgh": "/c/NEW.jsonl NEW", "abcdefghi xabcdefgh": "abcdefghi xabcdefgh",
	} {
		if got := string(replaceName([]byte(line), []byte("abcdefgh"), []byte("NEW"))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

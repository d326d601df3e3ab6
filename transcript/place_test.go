package transcript

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

const placeSession = "11111111-1111-4111-8111-111111111111"

// said is a prompt in a folder; titled are the lines that say what a session is about.
func said(dir, text string, n int) string {
	return fmt.Sprintf(`{"type":"user","uuid":"u%d","sessionId":"%s","timestamp":"2026-11-21T06:20:%02dZ","cwd":"%s","message":{"role":"user","content":"%s"}}`+"\n", n, placeSession, n, dir, text)
}

func titled(text string) string {
	return strings.NewReplacer("SESSION", placeSession, "TEXT", text).Replace(`{"type":"ai-title","aiTitle":"TEXT ai","sessionId":"SESSION"}
{"type":"custom-title","customTitle":"TEXT custom","sessionId":"SESSION"}
{"type":"summary","summary":"TEXT summary","leafUuid":"u1"}
`)
}

// excludingReader reads into a home where /secret is excluded, after a hook told of the session
// where hooked.
func excludingReader(t *testing.T, home string, hooked bool) *Reader {
	t.Helper()
	r := newReader(t, home)
	if hooked {
		e := schema.Event{V: 1, EventID: "1", EventType: schema.SessionStart, SessionID: placeSession, Timestamp: time.Unix(0, 0), WorkingDirectory: "/secret"}
		if err := r.Journal.Append(r.Redactor.Event(e)); err != nil {
			t.Fatal(err)
		}
	}
	if err := policy.Write(home, policy.Rules{ExcludeProjects: []string{"/secret"}}, policy.Stamp{}); err != nil {
		t.Fatal(err)
	}
	r = newReader(t, home) // another process
	r.Redactor = r.Journal.Redactor("")
	return r
}

func journalText(t *testing.T, r *Reader) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(journal.Dir(r.Journal.Home()), placeSession+journal.Suffix))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTitlesOfExcludedFolders: a title or summary is where the session was when it was written,
// also where the session has a journal, and whatever a reading begins with.
func TestTitlesOfExcludedFolders(t *testing.T) {
	much := said("/secret", "LEAK "+strings.Repeat("x", beforeBytes), 7)
	for name, pieces := range map[string][]string{
		"behind":         {said("/secret", "LEAK", 1) + titled("LEAK")},
		"at the head":    {titled("LEAK") + said("/secret", "LEAK", 1)},
		"wandered in":    {said("/other", "KEPT", 1) + titled("KEPT") + said("/secret", "LEAK", 2) + titled("LEAK") + said("/other", "KEPT", 3)},
		"read later":     {said("/other", "KEPT", 1) + said("/secret", "LEAK", 2), titled("LEAK"), titled("LEAK again"), said("/other", "KEPT", 3)},
		"far behind":     {said("/secret", "LEAK", 1) + strings.Repeat(said("", "LEAK", 2), beforeBytes/100), titled("LEAK then")},
		"a long line":    {said("/other", "KEPT", 1) + much, titled("LEAK"), said("/other", "KEPT", 8) + titled("KEPT")},
		"wandered out":   {said("/secret", "LEAK", 1), said("/other", "KEPT", 2) + titled("KEPT")},
		"never in there": {titled("KEPT") + said("/other", "KEPT", 1) + titled("KEPT")},
	} {
		t.Run(name, func(t *testing.T) {
			home, dir := filepath.Join(realDir(t), "home"), realDir(t)
			r := excludingReader(t, home, true)
			text := ""
			for _, piece := range pieces {
				text += piece
				old(t, write(t, text, dir, placeSession+".jsonl"))
				clean(t, r, Options{}, dir)
			}
			got := journalText(t, r)
			if strings.Contains(got, "LEAK") {
				t.Errorf("recorded %s", got)
			}
			if all := strings.Join(pieces, ""); strings.Contains(all, "KEPT") != strings.Contains(got, "KEPT") ||
				strings.Contains(all, "KEPT ai") && !(strings.Contains(got, "KEPT ai") && strings.Contains(got, "KEPT custom")) {
				t.Errorf("not recorded: %s", got)
			}
		})
	}
}

// TestIndexOfExcludedFolders: the index does not name what is left out, which is not read again
// as long as it is, and is read once the rule has gone.
func TestIndexOfExcludedFolders(t *testing.T) {
	home, dir := filepath.Join(realDir(t), "home"), realDir(t)
	r := excludingReader(t, home, false)
	file := write(t, said("/secret", "LEAK", 1), dir, placeSession+".jsonl")
	old(t, file)
	other := strings.ReplaceAll(said("/other", "KEPT", 1), placeSession, "22222222-2222-4222-8222-222222222222")
	old(t, write(t, other, dir, "22222222-2222-4222-8222-222222222222.jsonl"))
	index := func() []byte {
		text, err := os.ReadFile(filepath.Join(home, IndexFile))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if first := clean(t, r, Options{}, dir); first.Read != 2 {
		t.Errorf("%+v", first)
	}
	if text := index(); bytes.Contains(text, []byte(placeSession)) || !bytes.Contains(text, []byte("22222222")) {
		t.Errorf("%s", text)
	}
	if again := clean(t, r, Options{}, dir); again.Unchanged != 2 || again.Bytes != 0 {
		t.Errorf("%+v", again)
	}
	last := write(t, strings.ReplaceAll(other, "22222222", "33333333"), dir, "33333333-2222-4222-8222-222222222222.jsonl")
	then := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC) // the latest is read first
	if err := os.Chtimes(last, then, then); err != nil {
		t.Fatal(err)
	}
	f := start(t, &Follower{Reader: r, Trees: []string{dir}})
	f.await("the last one is read", func() bool { return f.Health().Lines > 0 && f.Health().Behind == 0 })
	f.stop()
	if text := index(); bytes.Contains(text, []byte(placeSession)) {
		t.Errorf("%s", text)
	}
	if n := f.Health().Lines; n != 1 {
		t.Errorf("%d lines were read, want that of the last file", n)
	}
	if err := policy.Write(home, policy.Rules{}, policy.Stamp{}); err != nil {
		t.Fatal(err)
	}
	r = newReader(t, home)
	if clean(t, r, Options{}, dir); !strings.Contains(journalText(t, r), "LEAK") || !bytes.Contains(index(), []byte(placeSession)) {
		t.Error("it is not read without the rule")
	}
}

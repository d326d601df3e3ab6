package transcript

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// What is named like a transcript and is something else, as the files of a journal are, is
// left to who reads that.
func TestForeign(t *testing.T) {
	home, dir := filepath.Join(realDir(t), "home"), realDir(t)
	event := `{"v":1,"event_id":"e1","event_type":"message","session_id":"` + uuidA + `","timestamp":"2026-01-01T00:00:00Z","role":"user","content":"hi"}` + "\n"
	grain := `{"grain_type":"action","tool_name":"web_search"}` + "\n"
	future := `{"what":"is this?"}` + "\n"
	a := write(t, "\n\n"+event+event, dir, uuidA+".jsonl")
	b := write(t, grain, dir, uuidB+".jsonl")
	c := write(t, future, dir, "cccccccc-0000-4000-8000-000000000003.jsonl")
	r := newReader(t, home)
	for range 2 {
		report, err := r.Import(context.Background(), []string{dir}, Options{}, nil)
		if err != nil || !slices.Equal(report.Foreign, []string{a, b}) || report.Files != 1 || report.Events != 0 {
			t.Errorf("%+v, %v", report, err)
		}
		if report, err := r.Import(context.Background(), []string{a, c}, Options{}, nil); err != nil || !slices.Equal(report.Foreign, []string{a}) {
			t.Errorf("named: %+v, %v", report, err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	f := &Follower{Reader: newReader(t, filepath.Join(realDir(t), "home")), Trees: []string{dir}}
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx, make(chan []string)) })
	defer running.Wait() // before its folder is removed
	defer stop()
	for deadline := time.Now().Add(20 * time.Second); f.Health().Lines < 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", f.Health())
		}
	}
	time.Sleep(100 * time.Millisecond)
	if h := f.Health(); h.Lines != 1 || h.Events != 0 || h.Failing != 0 {
		t.Errorf("followed: %+v", h)
	}
}

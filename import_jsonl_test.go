package actiongraph_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/source"
)

const grains = `{"tool_name":"web_search","content":"72F","created_at":"2026-03-01T10:00:00Z"}
{"tool_name":7}
{"tool_name":"fetch","namespace":"other","created_at":"2026-03-01T10:00:01Z"}
`

func TestImportJSONL(t *testing.T) {
	dir := t.TempDir()
	file, notes := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "notes.jsonl")
	for path, text := range map[string]string{file: grains, notes: "what is this?\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	counted, err := actiongraph.CountJSONL(t.Context(), []string{file}, nil, actiongraph.JSONLOptions{}, nil)
	if counted.Lines != 3 || counted.Events != 4 || !errors.Is(err, actiongraph.ErrPartial) {
		t.Errorf("counted %+v, %v", counted, err)
	}
	h := must(actiongraph.Open(filepath.Join(t.TempDir(), "home"), actiongraph.Options{}))(t)
	defer h.Close()
	read, err := h.ImportJSONL(t.Context(), []string{file}, nil, actiongraph.JSONLOptions{Namespace: "mine"}, nil)
	if read.Lines != 3 || read.Events != 4 || read.Broken != 1 || !errors.Is(err, actiongraph.ErrPartial) || !errors.Is(err, source.ErrPartial) {
		t.Errorf("%+v, %v", read, err)
	}
	again, err := h.ImportJSONL(t.Context(), []string{file, notes}, nil, actiongraph.JSONLOptions{}, nil)
	if err != nil || again.Unchanged != 1 || len(again.Foreign) != 1 || filepath.Base(again.Foreign[0]) != "notes.jsonl" {
		t.Errorf("%+v, %v", again, err)
	}
	for _, name := range []string{" ", "a\nb", strings.Repeat("n", 257)} {
		none, err := h.ImportJSONL(t.Context(), []string{file}, nil, actiongraph.JSONLOptions{Namespace: name}, nil)
		if err == nil || !strings.Contains(err.Error(), "namespace") || errors.Is(err, actiongraph.ErrPartial) || none.Files+none.Read > 0 {
			t.Errorf("import into the namespace %.10q: %+v, %v", name, none, err)
		}
		if _, err := h.Add(actiongraph.Grain{ToolName: "t", Namespace: name}); err == nil || !strings.Contains(err.Error(), "namespace: ") {
			t.Errorf("add to the namespace %.10q: %v", name, err)
		}
	}
	strict := actiongraph.JSONLOptions{Strict: true, Format: jsonl.OMS, Namespace: "strict"}
	_, err = h.ImportJSONL(t.Context(), []string{"-"}, strings.NewReader(grains), strict, nil)
	if err == nil || errors.Is(err, actiongraph.ErrPartial) || !strings.Contains(err.Error(), "-:2: ") {
		t.Errorf("strict: %v", err)
	}
	r := must(h.Reader(t.Context()))(t)
	var names []string
	for _, s := range must(r.Sessions(t.Context(), graph.SessionFilter{}))(t) {
		names = append(names, s.SessionID)
	}
	if slices.Sort(names); !slices.Equal(names, []string{"ns-mine", "ns-other", "ns-strict"}) {
		t.Error(names)
	}
}

func TestSourceFollower(t *testing.T) {
	dir := t.TempDir()
	j := must(journal.Open(filepath.Join(t.TempDir(), "home")))(t)
	f := actiongraph.SourceFollower(j, source.Spec{Path: dir})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		connector.Follow(ctx, j, zerolog.Nop(), f)
		close(ended)
	}()
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(grains), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); f.Health().Lines < 3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", f.Health())
		}
	}
	stop()
	<-ended
	if h := f.Health(); h.Events != 4 || h.Broken != 1 || h.Files != 1 {
		t.Errorf("%+v", h)
	}
}

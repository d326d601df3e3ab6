package failure_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/schema"
)

func TestEventAndBack(t *testing.T) {
	offset := int64(0)
	f := failure.New("s1", failure.JournalTorn, "7")
	f.Timestamp, f.Message, f.CausedBy, f.ErrorType = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), "torn", "cause", "x.Error"
	f.Where = failure.Where{Store: "graph", Path: "/p", Line: 3, Offset: &offset, Rule: "aws"}
	e := f.Event()
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := schema.Decode(e.AppendJSON(nil))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := failure.Of(&e)
	if d := cmp.Diff(f, got); !ok || d != "" {
		t.Errorf("%v\n%s", ok, d)
	}
	e.SourceSDK = "claude-code"
	if _, ok := failure.Of(&e); ok {
		t.Error("an agent's error is taken for the recorder's")
	}
}

// TestSameFailure: what failed names a failure, not when it was noticed.
func TestSameFailure(t *testing.T) {
	ids := map[string]bool{}
	for _, f := range []failure.Failure{
		failure.New("s1", failure.JournalTorn, "7"), failure.New("s1", failure.JournalTorn, "8"), failure.New("s2", failure.JournalTorn, "7"),
		failure.New("s1", failure.JournalRefused, "7"), failure.New("", failure.JournalTorn, "7"),
	} {
		ids[f.EventID] = true
	}
	if len(ids) != 5 {
		t.Errorf("%d ids of 5 failures", len(ids))
	}
	if a := failure.New("s1", failure.JournalTorn, "7"); !ids[a.EventID] || failure.New("", failure.RunFailed).SessionID != schema.Recorder {
		t.Error("one failure has two ids, or no session")
	}
}

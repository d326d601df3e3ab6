package actiongraph_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/live"
)

// A Go caller sees what the verb shows: what is there, that this was all, what comes then. The
// end of the context closes the channel, and nothing goes on behind it.
func TestWatch(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	home := must(actiongraph.Open(filepath.Join(t.TempDir(), "home"), actiongraph.Options{}))(t)
	defer home.Close()
	rec := home.Recorder("")
	call := func(session, tool string) {
		must(rec.RecordToolCall(actiongraph.ToolCall{SessionID: session, ToolName: tool, Timestamp: time.Now()}))(t)
	}
	call("one", "Bash")
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	changes := home.Watch(ctx, "")
	if c := <-changes; c.Session.SessionID != "one" || c.Session.State != live.Working || c.Session.Call.ToolName != "Bash" || len(c.Actions) != 1 {
		t.Errorf("at first %+v", c)
	}
	if c := <-changes; !c.Ready {
		t.Errorf("then %+v", c)
	}
	call("two", "Read")
	if c := <-changes; c.Session.SessionID != "two" || !c.Reset {
		t.Errorf("of what is new %+v", c)
	}
	stop()
	for range changes { // until it is closed
	}
}

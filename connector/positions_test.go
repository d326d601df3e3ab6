package connector_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// told is a Follower that keeps what it is told.
type told chan string

func (t told) Run(ctx context.Context, changes <-chan []string) {
	for {
		select {
		case <-ctx.Done():
			return
		case sessions := <-changes:
			for _, s := range sessions {
				t <- s
			}
		}
	}
}

// TestPositionsAreNoSession: up to where files were read stands in the journal, and neither
// its list nor who follows it takes that for a session.
func TestPositionsAreNoSession(t *testing.T) {
	j, err := journal.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := redact.New(redact.Options{})
	record := func(typ schema.Type, session string) redact.Line {
		return r.Event(schema.Event{V: 1, EventID: schema.NewID(session), EventType: typ, SessionID: session, Timestamp: time.Unix(1, 0)})
	}
	places, probe := schema.PositionsID(7), schema.ProbeID(7)
	if err := j.Append(record(schema.SourcePosition, places), record(schema.Message, probe), record(schema.Message, "s")); err != nil {
		t.Fatal(err)
	}
	files, err := j.Files()
	if err != nil || len(files) != 1 || files[0].Session != "s" {
		t.Errorf("%+v, %v", files, err)
	}
	if c, err := j.Read(places, journal.Position{}); err != nil {
		t.Error(err)
	} else if line, err := c.Next(); err != nil || len(line) == 0 {
		t.Error(err)
	} else {
		c.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	names := make(told, 100)
	done := make(chan struct{})
	go func() { defer close(done); connector.Follow(ctx, j, zerolog.Nop(), names) }()
	if err := j.Append(record(schema.SourcePosition, places), record(schema.Message, probe), record(schema.Message, "last")); err != nil {
		t.Fatal(err)
	}
	var all []string
	for deadline := time.After(20 * time.Second); !slices.Contains(all, "last"); {
		select {
		case s := <-names:
			all = append(all, s)
		case <-deadline:
			t.Fatalf("told only %v", all)
		}
	}
	cancel()
	<-done
	if slices.Contains(all, places) || slices.Contains(all, probe) {
		t.Errorf("told %v", all)
	}
}

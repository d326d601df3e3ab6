package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

func TestValidateNamesEveryFault(t *testing.T) {
	good := schema.Event{
		V: schema.Version, EventID: "e", SessionID: "s", EventType: schema.Context, Origin: schema.OriginAPI,
		SourceSDK: "test", Timestamp: time.Unix(1795301459, 0),
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		spoil func(*schema.Event)
	}{
		{"v", func(e *schema.Event) { e.V = 0 }},
		{"event_id", func(e *schema.Event) { e.EventID = "" }},
		{"session_id", func(e *schema.Event) { e.SessionID = "../../etc/passwd" }},
		{"event_type", func(e *schema.Event) { e.EventType = "stop" }},
		{"origin", func(e *schema.Event) { e.Origin = "" }},
		{"source_sdk", func(e *schema.Event) { e.SourceSDK = "" }},
		{"timestamp", func(e *schema.Event) { e.Timestamp = time.Time{} }},
		{"timestamp", func(e *schema.Event) { e.Timestamp = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"timestamp", func(e *schema.Event) { e.Timestamp = time.Date(1970, 1, 1, 1, 0, 0, 0, time.FixedZone("", 7200)) }},
		{"tool_use_id", func(e *schema.Event) { e.EventType = schema.ToolStart }},
		{"tool_use_id", func(e *schema.Event) { e.EventType = schema.ToolEnd }},
		{"role", func(e *schema.Event) { e.EventType = schema.Message }},
		{"role", func(e *schema.Event) { e.EventType, e.Role = schema.Message, "tool" }},
		{"agent_id", func(e *schema.Event) { e.EventType = schema.AgentStart }},
		{"agent_id", func(e *schema.Event) { e.EventType = schema.AgentEnd }},
		{"parent_session_id", func(e *schema.Event) { e.EventType = schema.Fork }},
		{"tags", func(e *schema.Event) { e.EventType = schema.Tag }},
		{"tool_input", func(e *schema.Event) { e.ToolInput = json.RawMessage(`{"a":`) }},
		{"result", func(e *schema.Event) { e.Result = json.RawMessage("{\n}") }},
		{"result", func(e *schema.Event) { e.Result = json.RawMessage(`null`) }},
		{"metadata", func(e *schema.Event) { e.Metadata = json.RawMessage(`"text"`) }},
		{"extra", func(e *schema.Event) { e.Extra = json.RawMessage(`[1]`) }},
		{"duration_ms", func(e *schema.Event) { e.DurationMS = float(math.NaN()) }},
		{"duration_ms", func(e *schema.Event) { e.DurationMS = float(math.Inf(1)) }},
		{"cost_usd", func(e *schema.Event) { e.CostUSD = float(math.Inf(-1)) }},
	} {
		e := good
		c.spoil(&e)
		err := e.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), "invalid event: "+c.field+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one that names that field and no other", c.field, err)
		}
		if !errors.Is(err, schema.ErrInvalid) {
			t.Errorf("%s: %v is no ErrInvalid", c.field, err)
		}
	}
	var zero schema.Event
	for _, field := range []string{"v:", "event_id:", "session_id:", "event_type:", "origin:", "source_sdk:", "timestamp:"} {
		if err := zero.Validate(); !strings.Contains(err.Error(), field) {
			t.Errorf("the zero event: %v does not name %s", err, field)
		}
	}
}

func float(f float64) *float64 { return &f }

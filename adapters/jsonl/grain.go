package jsonl

import (
	"encoding/json"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// DefaultNamespace is the namespace of grains that name none.
const DefaultNamespace = "default"

// NamespaceSession returns the session that holds the grains of a namespace.
func NamespaceSession(namespace string) string { return schema.SafeID("ns-" + namespace) }

// Grain is an OMS Action grain, in the names of OMS 1.2 and 1.3. Only ToolName is
// required.
type Grain struct {
	// GrainType is "" or "action". A grain of another type is its namespace and Extra.
	GrainType    string          `json:"-"`
	ToolName     string          `json:"tool_name"`
	Input        json.RawMessage `json:"input,omitempty"` // an object
	Content      string          `json:"content,omitempty"`
	IsError      bool            `json:"is_error,omitempty"`
	Error        string          `json:"error,omitempty"`
	DurationMS   *float64        `json:"duration_ms,omitempty"`
	ParentTaskID string          `json:"parent_task_id,omitempty"`
	OutputSchema json.RawMessage `json:"output_schema,omitempty"`
	Confidence   *float64        `json:"confidence,omitempty"`
	Tags         []string        `json:"tags,omitempty"`
	Namespace    string          `json:"namespace,omitempty"`
	RelatedTo    []string        `json:"related_to,omitempty"` // hashes of grains
	// CreatedAt is when it happened; zero is when it was received.
	CreatedAt time.Time `json:"created_at,omitzero"`
	// Extra is what else the grain has: an object.
	Extra json.RawMessage `json:"-"`
}

// Validate says what is wrong with a grain that no Parse function made. The error is a
// *LineError without a column.
func (g *Grain) Validate() error { panic("not yet") }

// Hash returns the grain's content hash, 64 hexadecimal digits: its id. The namespace is
// part of it.
func (g *Grain) Hash() string { panic("not yet") }

// AppendEvents appends the events of a valid grain: its call and its result, whose
// tool_use_id is the grain's hash, or an unknown event of a grain of another type. Of src
// it takes Origin, Host, User and HashKey. at is when the grain was received.
func (g *Grain) AppendEvents(dst []schema.Event, src *Source, at time.Time) []schema.Event {
	panic("not yet")
}

// ParseGrain reads a bare grain of OMS 1.1, 1.2 or 1.3, or {"grain_type":…,"fields":{…}}.
// The error is a *LineError. The grain aliases nothing of raw.
func ParseGrain(raw []byte) (Grain, error) { panic("not yet") }

// ParseBatch reads {"grains":[…]}, an array of grains or one grain, all or none. Of src it
// takes Namespace, that of grains that name none, and KeepUnknown, without which a grain
// that is no action is an error. The error is a *LineError whose Item is the index, -1
// where raw is no batch. The grains alias nothing of raw.
func ParseBatch(raw []byte, src *Source) ([]Grain, error) { panic("not yet") }

func (d *Decoder) grains(dst []schema.Event, line []byte, n int64, at time.Time) ([]schema.Event, Line, error) {
	panic("not yet")
}

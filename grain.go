package actiongraph

import (
	"context"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Grain is one Action grain of OMS: what a tool was called with and what it gave. Only
// ToolName is required.
type Grain = jsonl.Grain

// Add records one grain in its namespace and returns its hash. When it returns nil the
// grain is on the disk. To add it again changes nothing.
func (h *Home) Add(g Grain) (hash string, err error) { panic("not yet") }

// AddBatch records all grains or none: one that is wrong is an error, a
// *jsonl.LineError with its index, and nothing is written.
func (h *Home) AddBatch(grains []Grain) (hashes []string, err error) { panic("not yet") }

// AddEvents records events of the protocol, all or none, as AddBatch does.
func (h *Home) AddEvents(events []schema.Event) error { panic("not yet") }

// Recall finds calls of tools: see graph.SearchQuery, whose Recall it sets.
func (h *Home) Recall(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error) {
	panic("not yet")
}

package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// recalled is the answer to a recall.
type recalled struct {
	Results []result `json:"results"`
	Count   int      `json:"count"`    // of results
	HasMore bool     `json:"has_more"` // there are more than the limit
	// Behind says that the store has not caught up with what was recorded: the latest may
	// be missing.
	Behind bool `json:"behind,omitempty"`
}

// result is one action that was recalled, best first.
type result struct {
	// BlobHash is the grain's hash; of a call that was recorded otherwise, its tool_use_id.
	BlobHash  string    `json:"blob_hash"`
	GrainType string    `json:"grain_type"`
	Score     float64   `json:"score"` // BM25; greater is better, 0 without a query
	Namespace string    `json:"namespace"`
	CreatedAt time.Time `json:"created_at"`
	// Fields are those of the grain, in the names of OMS 1.2.
	Fields map[string]any `json:"fields"`
	// ActionID and SessionID are what the graph calls it, for ag-sessiond show.
	ActionID  string `json:"action_id"`
	SessionID string `json:"session_id"`
}

func resultOf(hit graph.SearchHit, namespace string) result {
	a := hit.Action
	return result{
		BlobHash: a.ToolUseID, GrainType: "action", Score: hit.Rank, Namespace: namespace,
		CreatedAt: a.Timestamp.UTC(), ActionID: a.ActionID, SessionID: a.SessionID, Fields: fieldsOf(hit),
	}
}

// fieldsOf gives a call and its result the names of a grain.
func fieldsOf(hit graph.SearchHit) map[string]any {
	call, f := hit.Action, map[string]any{}
	for name, raw := range schema.Fields(call.Metadata) {
		f[name] = raw
	}
	delete(f, "grain_type") // which the result itself has
	delete(f, "namespace")
	f["tool_name"] = call.ToolName
	if input := inputOf(call.Properties); input != nil {
		f["input"] = input
	}
	if call.DurationMS != nil {
		f["duration_ms"] = *call.DurationMS
	}
	if call.IsError {
		f["is_error"] = true
	}
	if r := hit.Result; r != nil {
		message, _ := r.Properties["error_message"].(string)
		content := r.Text
		if message != "" && isGist(message, content) {
			message, content = content, ""
		}
		if message != "" {
			f["error"] = message
		}
		if content != "" {
			f["content"] = content
		}
	}
	return f
}

// isGist reports whether message is what graph makes of the error text: white space is
// one blank each, and where it is cut it ends with ….
func isGist(message, text string) bool {
	text = strings.Join(strings.Fields(text), " ")
	said, cut := strings.CutSuffix(message, "…")
	return text == strings.Join(strings.Fields(message), " ") || cut && strings.HasPrefix(text, said)
}

// taskOf returns the task_id of an action that is a task, "" of any other. known holds those
// that were asked for.
func (s *Server) taskOf(ctx context.Context, id string, known map[string]string) (task string, err error) {
	if id == "" {
		return "", nil
	}
	if task, asked := known[id]; asked {
		return task, nil
	}
	row, err := s.Store.Action(ctx, id)
	if err != nil && !errors.Is(err, graph.ErrNotFound) { // it may be gone since
		return "", err
	}
	if row.ActionType == graph.Task {
		task, _ = row.Properties["task_id"].(string)
	}
	known[id] = task
	return task, nil
}

// inputOf puts a call's input together again: graph keeps what people filter on apart.
func inputOf(props map[string]any) any {
	text, _ := props["properties"].(string)
	raw := schema.Field([]byte(text), "tool_input")
	if len(raw) > 0 && raw[0] != '{' {
		return raw
	}
	input := map[string]any{}
	for name, value := range schema.Fields(raw) {
		input[name] = json.RawMessage(value)
	}
	for _, name := range []string{"command", "file_path", "url", "pattern"} {
		if v, ok := props[name]; ok {
			input[name] = v
		}
	}
	if len(input) == 0 {
		return nil
	}
	return input
}

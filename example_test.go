package actiongraph_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/graph"
)

// The quick start of the Python package actions-graph.
func Example() {
	dir, err := os.MkdirTemp("", "example") // a program of yours takes "": ~/.actiongraph
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	home, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer home.Close()
	recorder := home.Recorder("my-agent")

	// Create a session.
	if _, err := recorder.RecordSessionStart(actiongraph.Session{
		SessionID:        "session-123",
		Model:            "claude-sonnet-4-20250514",
		WorkingDirectory: "/path/to/project",
	}); err != nil {
		log.Fatal(err)
	}

	// Record a tool call.
	call, err := recorder.RecordToolCall(actiongraph.ToolCall{
		SessionID: "session-123",
		ToolName:  "Read",
		ToolInput: map[string]any{"file_path": "/path/to/file.py"},
		ToolUseID: "tool-use-001",
	})
	if err != nil {
		log.Fatal(err)
	}

	// Record the result.
	if _, err := recorder.RecordToolResult(actiongraph.ToolResult{
		SessionID: "session-123",
		ToolUseID: "tool-use-001",
		ToolName:  "Read",
		Content:   "def hello():\n    print('Hello, World!')",
	}); err != nil {
		log.Fatal(err)
	}

	// Get the session's summary.
	ctx := context.Background()
	summary, err := home.SessionSummary(ctx, "session-123")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Actions: %d, Tools: %d\n", summary.ActionCount, summary.ToolCallCount)

	// And what became of the call.
	action, err := home.Action(ctx, call.ActionID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(action.ToolName, action.Status)

	results, err := home.Actions(ctx, graph.ActionFilter{Session: "session-123", Type: graph.ToolResult, Content: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(results[0].Text)
	// Output:
	// Actions: 2, Tools: 1
	// Read completed
	// def hello():
	//     print('Hello, World!')
}

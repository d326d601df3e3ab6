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

// Action grains of the Open Memory Specification: open, add, recall.
func ExampleHome_Add() {
	dir, err := os.MkdirTemp("", "example") // a program of yours takes "": ~/.actiongraph
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db, err := actiongraph.Open(dir, actiongraph.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	// A successful action, and a failed one.
	took, waited := 340.0, 5000.0
	first, err := db.Add(actiongraph.Grain{
		ToolName: "web_search", Input: []byte(`{"query":"weather in tokyo"}`),
		Content: "72F, partly cloudy, humidity 65%", DurationMS: &took,
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Add(actiongraph.Grain{
		ToolName: "database_query", Input: []byte(`{"sql":"SELECT * FROM users"}`),
		IsError: true, Error: "connection timeout after 5000ms", DurationMS: &waited,
		RelatedTo: []string{first},
	}); err != nil {
		log.Fatal(err)
	}

	for _, q := range []graph.SearchQuery{
		{Words: "web_search weather"},
		{Words: "error timeout", Failed: true},
		{RelatedTo: first},
	} {
		hits, err := db.Recall(context.Background(), q)
		if err != nil {
			log.Fatal(err)
		}
		for _, hit := range hits {
			fmt.Printf("%s %s after %v ms: %s\n", hit.Action.ToolName, hit.Action.Status, *hit.Action.DurationMS, hit.Result.Text)
		}
	}
	// Output:
	// web_search completed after 340 ms: 72F, partly cloudy, humidity 65%
	// database_query failed after 5000 ms: connection timeout after 5000ms
	// database_query failed after 5000 ms: connection timeout after 5000ms
}

// An agent that this program runs itself, with the callbacks of the Python package's
// create_tracking_hooks.
func ExampleTracker() {
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

	options := actiongraph.TrackAll()
	options.TrackMessages = false // what people write is not recorded
	options.ErrorFunc = func(err error) { log.Print(err) }
	tracker := home.Tracker("my-session-123", options)

	tracker.SessionStart(actiongraph.Session{Model: "claude-sonnet-4-20250514"})
	tracker.UserPromptSubmit(actiongraph.HookInput{Prompt: "What is the weather in Tokyo?"})
	tracker.PreToolUse(actiongraph.HookInput{
		ToolName: "web_search", ToolUseID: "toolu_01", ToolInput: map[string]any{"query": "weather in tokyo"},
	})
	tracker.PostToolUse(actiongraph.HookInput{
		ToolName: "web_search", ToolUseID: "toolu_01", ToolResponse: "72F, partly cloudy", DurationMS: 340,
	})
	tracker.Stop(actiongraph.HookInput{})
	tracker.SessionEnd(actiongraph.SessionEnd{})

	actions, err := home.ActionSequence(context.Background(), tracker.SessionID(), true)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range actions {
		fmt.Printf("%s %s, %s: %q\n", a.ActionType, a.ToolName, a.Status, a.Text)
	}
	// Output:
	// tool_call web_search, completed: ""
	// tool_result web_search, completed: "72F, partly cloudy"
	// turn_end , completed: ""
}

// Package actiongraph records what an AI agent does, and answers what it did.
//
// A Recorder or a Tracker appends events to the journal of a home directory, as ag-hook
// does; a Home reads them back as a graph, as ag-sessiond does. Both may happen at once, in
// any number of processes: the journal is the only source of truth, and the store
// beside it is caught up whenever somebody asks.
//
// The methods are the verbs of the Python package actions-graph, in Go's naming:
//
//	create_session        Recorder.RecordSessionStart
//	record_tool_call      Recorder.RecordToolCall
//	record_tool_result    Recorder.RecordToolResult
//	record_message        Recorder.RecordMessage
//	record_action         Recorder.RecordAction, with any event of the protocol
//	end_session           Recorder.EndSession
//	get_session           Home.Session
//	list_sessions         Home.Sessions
//	get_action            Home.Action
//	get_session_actions   Home.Actions
//	get_tool_usage_stats  Home.ToolUsageStats
//	get_action_sequence   Home.ActionSequence
//	get_session_summary   Home.SessionSummary
//
// and its hooks, for an agent that a Go program runs itself:
//
//	create_tracking_hooks  Home.Tracker, Tracker.Hooks
//
// Action grains of the Open Memory Specification, from whoever has the call and its
// result at once, are added and asked for:
//
//	open                  Open
//	add                   Home.Add; all or none: Home.AddBatch
//	recall                Home.Recall
//
// What has no verb of its own, search and the graph itself, is on Home.Reader; on Home.At it
// is as it was at an earlier point of a session. Home.Fork makes a session that goes on from such
// a point; its Home.History begins with what it shares.
package actiongraph

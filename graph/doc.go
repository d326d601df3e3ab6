// Package graph is the pure core: facts become entities, entities become a
// property graph. The graph is a function of the set of facts; the order in which
// they arrive, and how often, does not matter.
//
// Session.Apply folds one event and returns the difference as Ops, keyed register
// writes that any store can execute without understanding them: applying a suffix
// of them again, in order, is harmless. Everything that a key, an edge or a status
// is derived from is in this package; stores never mint ids.
//
// # One truth from hooks and transcripts
//
// The facts of a runtime's hooks and of its session files are one node each, whichever
// came first and whatever is missing from either:
//
//	what                  joined by                                               in
//	call, result          tool_use_id                                             toolcall.go
//	model call, usage     message id, else what its end was caused by; the        llm.go, usage.go
//	                      greatest of each figure
//	end of a call         the event's id, where one record of it says what it     told.go
//	                      ended and another does not, as of a repaired file
//	prompt                lane, prompt id, role and text, in the order of time;   prompts.go
//	                      what is left, by lane, text and nearness
//	prompt that waited    likewise, a day apart at most; it is where its line     promptloans.go
//	                      says that the agent took it up
//	assistant's text      the line's id; a hook's repetition of it is dropped     echo.go
//	end of a turn         lane and nearness: Stop, stop_hook_summary,             seam.go
//	                      turn_duration
//	API error             lane, error type and nearness: the line, StopFailure    seam.go
//	compaction            lane and the order of its stages                        compaction.go
//	subagent              agent_id; its parent by tool_use_id, never by order     agents.go
//	end of a subagent     SubagentStop, else an API error, else what its call     agentends.go
//	                      or a task notification says
//	permission request    lane, tool and input, in the order of time; one that    permission.go
//	                      names neither call nor input claims none
//	run and its caller    the caller's id, else its name if one only has it,      callers.go
//	                      which began no later; each start under the latest
//	                      decision to delegate until then, else the first one,
//	                      else under the caller's start
//	start of a run        the event's id; of hooks, nearness                      agents.go
//	calls of one task     parent_task_id; the task is there for that alone        task.go
//	action related to     tool_use_id of a call, or an event's id                 relations.go
//
// An Agent is one agent_id: a subagent of a runtime, or a run of a framework, whose id is
// that of the run. Runs of one agent's name are as many Agents, and agent_count counts them;
// a run id that is called again is one Agent with as many starts. Agents that descend from
// themselves, by what is claimed, have no known parent, and no SPAWNED edge leads to them.
//
// What only files tell of has no end that is not written there: calls and subagents
// without one are unknown, and so is the session, unless its last turn failed. A run whose
// record says that it ended, but not when, has no ended_at; it has completed, unless the
// record says that it failed.
//
// A failure of the recording (package failure) is no action: it is about the record, and the
// graph is about what the agent did. A node would be in the chain, in every count of errors and
// in every saved query, and each of them would have to leave it out. So it changes neither status
// nor times nor counters, and does not take an abandonment back; the Session counts such facts in
// recording_failures, which people can ask for, and the journal says what they were.
//
// A call is linked to 10,000 files at most; files_omitted says how many more it names.
//
// The package does no I/O, reads no clock and has no randomness.
package graph

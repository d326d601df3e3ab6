// Package jsonl turns the JSON lines that agent frameworks write into events: audit dumps
// and the TraceEvents they are made of (the third seed), Action grains (the second), and
// the Event Protocol itself. Bytes and a clock in, events out: it does no I/O and uses
// the standard library only, as ag-hook links it.
//
// # Audit dumps
//
// agent_framework (github.com/delzubu/agent_framework, audit_trace.py) writes one file a
// run of the program, one line a finished agent call or a thing that its host saw. Every
// event has origin "audit", source_sdk "agent-framework", the line's own time (one without
// an offset is UTC; a line without one has the time it was received at, and
// extra.timestamp_missing), seq = 1000 × line + place, hook_event_name the kind of the line
// or part, and an id made of the session, the bytes of the line and the place: the same
// line is the same facts, wherever it is. The first line also gives a session_update with
// the file's name.
//
//	line                 event         fields taken                                     set
//	user_output          message       role (assistant, system, user; another stays     role system where it is
//	                                   in extra), text → content                        another or none
//	user_input           message       response → content                               role user
//	permission_request   permission    tool_name, summary → content, action → reason    status completed if allowed, else denied;
//	                                                                                    unknown where nothing is said
//	memory_operation     memory        title, summary → content, operation → reason
//	another type         unknown
//	agent call           agent_start   run_id → agent_id, agent_name → agent_name and   caller_id "host" is no caller
//	(no type)                          agent_type, caller_id → parent_agent_name,
//	                                   user_prompt → content
//	                     message       system_prompt → content                          role system
//	                     message       user_prompt → content                            role user
//	                     llm_start     llm_message_sent → extra.request, its model
//	                     llm_end       llm_message_received → content, model_response   caused_by the llm_start; is_error
//	                                                                                    where an llm.error is noted and nothing came
//	  agent_decision     decision      kind → title, message → content, tool_name,
//	                                   subagent_id → to_agent
//	    respond, final_message: message    response → content, else message             role assistant, caused_by
//	    call_tool:       tool_start    tool_name, parameters → tool_input               caused_by; no end: a record has no result
//	  callbacks[]        callback      intent → title, prompt → content, timestamp
//	  skill_invocations[] tool_start   skill_name, parameters → tool_input, timestamp   tool_name Skill
//	                     skill         skill_name → title                               tool_use_id of that call
//	  events[]           context       name or type → title, output, result, message,
//	                                   error or text → content
//	    llm.error:       error         error, message … → error_message                 error_type llm.error
//	                     agent_end                                                      status completed, the latest time in the
//	                                                                                    record; extra.end_time "unknown"; failed
//	                                                                                    where the model was asked, gave no answer or an
//	                                                                                    error, and nothing was decided: that raised
//
// A list of more than 5,000 elements keeps the others in one context. All events of an
// agent call are in the lane of its run. A run_id that goes on after the caller's name, with
// the agent's or the output_key of a batch ("s.p1.planner.search", caller_id "planner"),
// names the caller's run ("s.p1.planner"), and that is parent_agent_name then. What no field takes, and what
// the fold filters on, is in extra of the event of its part, the record's own in the
// agent_start's. Typed fields and extra give the line back but for fields that say no more
// than if they were not there: null, an empty list. Of members with one name the last
// counts. A number as an id or a name is its digits, an id of more than 128 bytes its hash;
// extra has the value itself. Another type than a field has is a *LineError.
//
// # TraceEvents
//
// The same program's JsonlTraceSubscriber writes each TraceEvent (tracing.py) as it
// happens. Its event_id is the natural key; the event that parent_event_id names is what
// caused it. Each line's event has its kind as hook_event_name, and the rest of the line
// (event_id, span_id, context …) in extra.trace_event.
//
//	kind                                event         as of a dump, but
//	runtime.audit.agent_call_started    agent_start, and the two messages; parent_run_id, where there is one, → parent_agent_name
//	runtime.audit.agent_call_finished   agent_end     it has an end; usage_self, usage_inclusive in extra; failed or completed: see below
//	runtime.audit.decision              decision, and what it led to
//	runtime.audit.callback              callback, and a context of its event
//	runtime.audit.named_event           context, or error
//	runtime.audit.skill_invocation      tool_start and skill
//	runtime.tool_call_started           tool_start    span_id → tool_use_id, tool_name, tool_input
//	runtime.tool_call_finished          tool_end      span_id → tool_use_id, tool_name, result (once result_preview)
//	runtime.tool_execution_failed       tool_end      of the call that its run has begun; is_error, error_type, error →
//	                                                  error_message, tool_name; an error where there is no such call
//	runtime.model_call_failed           llm_end, error  of the request that waits: is_error, error_type, message → error_message;
//	                                                  else context where it has the status_code of an answer, which is
//	                                                  an llm.error of its own, and an error where it has none
//	runtime.run_failed                  error         error_type, error → error_message
//	runtime.memory_put, _update, _autostore  memory   in the lane of the run, where it names one
//	llm.request                         llm_start     model_name → model, input_payload → extra.request
//	llm.response, llm.error             llm_end       raw_text → content, model_name → model, usage → tokens (cached
//	                                                  ones not among the input), parsed_payload → extra.model_response;
//	                                                  caused_by the llm.request, duration_ms from its time to this one's
//	  llm.error:                        error         as a dump has it; caused_by the llm_end
//	runtime.agent_started, agent_finished, decision_made, model_call_started, parameters_bound, context_updated,
//	  tool_unavailable, subagent_call_*, skill_*, callback_*
//	                                    context       other lines tell what there is to know of it
//	channels log and user               skipped
//	another                             unknown, in the lane of its run
//
// Nothing in them joins a call to the decision that led to it. So a decision to call a tool is a
// call by itself only where its event has no span_id, as of a program that does not tell of calls.
//
// # The order of a file
//
// What a line of a dump or a TraceEvent leaves out, the lines before it may tell. Order reads
// them, in the order of the file; it is a function of these lines, so that a file that is
// read whole, in pieces, or on from the middle by who has read the lines before again, gives
// the same events. Ids of events never depend on it.
//
// A line without a time has that of the nearest line before which has one, at the head of a
// file the first one behind it that is there, else the time of receipt (a follower waits until
// the file was quiet, for the second line to come). extra.timestamp_missing says so of all.
//
// Of TraceEvents it tells, by run id, as one run does one thing after the other (agents/agent.py):
//
//	an answer             llm.response, llm.error, and model_call_failed where no answer came, are of the last
//	                      llm.request of the run, if that has none yet, and of its model; where the run is
//	                      not named, only if no other request waits
//	what a tool raised    is the end of the run's call that began last, if that has no end and is of that tool
//	how a run ended       agent_call_finished is told of one that raised, too. It failed where agent_finished
//	                      has status failed or error; where there is none though agent_started was told; and
//	                      where a model_call_failed is the last thing that the run did
//
// Nobody can know: which of two requests of one run at a time an answer is of (the later one is
// taken, the other has no end: OpenAI's driver tells of no request that raised); how a run
// ended that no agent_started is told of, or beside which another run of its agent was under way, as
// these silence each other; that a run raised behind its agent_finished, where a hook let it go
// on. Such a run has completed. More than 4,096 runs at a time are not followed: the oldest
// are forgotten. A record of a dump has no order but its time: a tool that raised leaves the
// call unknown there, and a run that raised once it had decided something has completed.
//
// # Grains
//
// An Action grain of the Open Memory Specification (github.com/openmemoryspec/oms, §6.1,
// §6.5, §8.5) is a bare object a line, {"grain_type":"action","fields":{…}}, or in a batch,
// {"grains":[…]} or an array, which is taken whole or not at all. OMS 1.1's names are read as
// those of 1.2: arguments is input, result is content, success is is_error the other way
// round, grain_type tool_call (toolcall, ToolCall) is action; the specification's
// structural_tags is what the seed calls tags, and its type grain_type. A field that is there
// twice, under whatever names, is a *LineError (but for a type that is the same), as is one
// of another type than it has; null is no value (§4.5).
//
//	tool_name        not empty: the one that is required
//	input            an object
//	content          a text; the specification lets it be any value (§6.5), which is kept as its canonical JSON
//	is_error, error  a boolean, a text
//	duration_ms      a number, not negative
//	confidence       a number from 0 to 1
//	parent_task_id   a text
//	output_schema    an object
//	tags             texts, none empty
//	related_to       hashes, or the specification's links (§14.2), objects with a hash, which extra keeps
//	namespace        a text; else that beside the grains of its batch, else the source's, else default
//	created_at       milliseconds since 1970 (§4.8), or RFC 3339; timestamp_ms stands in for it
//
// A grain is two events of the session ns-<namespace> (SafeID) with source_sdk "oms" and
// hook_event_name "action", both at the time that it states, else when it was received:
// tool_start (input → tool_input, parent_task_id, tags, related_to) and tool_end (content →
// result, is_error, error → error_message, duration_ms). tool_use_id is its hash, and the
// event ids are made of the hash alone, so that a grain is one fact, whoever brings it. extra
// of the tool_start has grain_type, namespace, confidence, output_schema and every field
// that is not in this list; its error_type is the tool_end's, too. A grain that has an
// action_phase (since 1.2; later tool_phase) is only a tool_start where that is call, only a
// tool_end where it is result, and no action where it is definition: it says what a tool is.
// A grain of another type is an unknown event, whole in extra, where
// KeepUnknown says so.
//
// The hash is the SHA-256, in 64 hexadecimal digits, of what the grain says as canonical
// JSON: one object with the fields above and all others that it has, under their 1.2 names,
// as Python writes it:
//
//	hashlib.sha256(json.dumps(grain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
//
// Left out of that object is what says no more than if it were not there: a member that is
// null, an empty text or list, is_error false, the type of an action and the namespace
// "default". The namespace is the grain's, wherever it stood. A whole number below 2⁵³ has no
// fraction or exponent (340.0 is 340, -0.0 is 0); duration_ms and confidence are floats.
// created_at is in milliseconds, one that is finer RFC 3339 in UTC. A content that is no text
// is its canonical JSON as a text. testdata/grainhash.py is all of this in Python. Where
// Python itself fails or writes no JSON, a lone surrogate and each byte that is no UTF-8 are
// U+FFFD, a float that is too great and what is nested deeper than 64 are as they are written.
//
// It is no OMS content address, which is of the binary form (§5) and of the second a grain is
// written in (§5.5): by that, to add the same grain again would be another grain. Like that
// one it is made of all that the grain says, a secret in it included.
//
// # The Event Protocol
//
// A line is one event, or an array of them, all or none. A line with a v is one of
// schema/event.schema.json: it comes back as it was, byte for byte where a journal wrote it. A
// line without is another producer's, such as json.dumps(dataclasses.asdict(event)) of
// memgraph-context-graph 0.11.0, and is completed:
//
//	v, host, user_id, input_hash    ours, the Source's
//	seq                             1000 × line + place in an array
//	agent_id                        agent_name: the reference has a subagent's id there, and none of the main thread
//	content                         output of an agent_end and response of an llm_end, where they are texts
//	is_error                        true of an error
//
// Of either: origin, where it is missing, is the Source's, source_sdk "unknown", timestamp the
// time of receipt (one without an offset is UTC). event_id is made of session, type and
// tool_use_id (tool_start, tool_end, tool_batch) or message_id (llm_start, llm_end), else of
// session, type and the bytes of the event; of one without a time also of its line's number,
// and where the source is no file of the Source's Key, or else of when it came. A session_id
// that is none is hashed, and kept in metadata.session_id_original. Content that is no text is in extra, its text blocks
// are the content. Members that no field takes are in extra, null ones are left out. An
// event of a type that nobody knows is unknown, with its event_type in extra; one that
// Event.Validate refuses is a *LineError. A source_position is skipped: it would say of
// this journal's files what only their readers know.
package jsonl

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
//	                                                                                    record; extra.end_time "unknown"
//
// All events of an agent call are in the lane of its run. What no field takes, and what
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
//	runtime.audit.agent_call_finished   agent_end     it has an end; usage_self, usage_inclusive in extra
//	runtime.audit.decision              decision, and what it led to
//	runtime.audit.callback              callback, and a context of its event
//	runtime.audit.named_event           context, or error
//	runtime.audit.skill_invocation      tool_start and skill
//	runtime.memory_put, _update, _autostore  memory   in the lane of the run, where it names one
//	llm.request                         llm_start     model_name → model, input_payload → extra.request
//	llm.response, llm.error             llm_end       raw_text → content, model_name → model, usage → tokens,
//	                                                  parsed_payload → extra.model_response
//	channels log and user               skipped
//	another                             unknown, in the lane of its run
//
// A run asks its model several times, and nothing joins an answer to its question but
// their order.
package jsonl

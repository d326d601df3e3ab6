// Package claude turns what Claude Code gives its hooks into Event Protocol events.
// It is pure: bytes and what the recorder observed in, events out.
//
// Every event has origin "hook", source_sdk, hook_event_name, timestamp (Env.Now),
// host, user_id, input_hash, and of the payload
//
//	session_id → session_id (made safe; the original in metadata.session_id_original)
//	cwd → working_directory, prompt_id, agent_id, agent_type
//
// Beyond these, by hook event; "actor" is runtime where nothing is said:
//
//	hook event           event type         fields taken                                             set
//	PreToolUse           tool_start         tool_name, tool_input, tool_use_id                       actor agent
//	PostToolUse          tool_end           the same, tool_response → result, duration_ms            actor agent, caused_by
//	  of StructuredOutput: and a structured_output: tool_name, tool_use_id, tool_input → result      actor agent, caused_by
//	PostToolUseFailure   tool_end           as PreToolUse, error → error_message, duration_ms        actor agent, caused_by, is_error
//	PostToolBatch        tool_batch each    of each entry of tool_calls: tool_name, tool_input,      actor agent
//	                                        tool_use_id, tool_response → result
//	PermissionRequest    permission         tool_name, tool_input                                    status pending
//	PermissionDenied     permission         tool_name, tool_input, tool_use_id, reason               status denied
//	UserPromptSubmit     message            prompt → content, session_title → title                  role user, actor user; both
//	                                        differ when the runtime wrote it (<task-notification>…): role system, actor runtime
//	UserPromptExpansion  skill              prompt → content
//	MessageDisplay       notification       delta → content
//	SessionStart         session_start      source → reason, model, session_title → title
//	SessionEnd           session_end        reason
//	Stop                 turn_end           last_assistant_message → content
//	StopFailure          error, rate_limit  error → error_type, last_assistant_message → error_message    is_error
//	SubagentStart        agent_start
//	SubagentStop         agent_end          last_assistant_message → content
//	  with agent_type "": compaction        the same; no agent_id, which is no lane: it stays in extra
//	PreCompact           compaction         trigger → reason, custom_instructions → content
//	PostCompact          compaction         trigger → reason, compact_summary → content
//	TaskCreated          task               task_id, task_subject → title, task_description → content     status pending
//	TaskCompleted        task               the same                                                 status completed
//	Notification         notification       message → content
//	TeammateIdle         notification
//	Elicitation          callback           message → content
//	ElicitationResult    callback           message → content
//	PostModelSwitch      context            to_model → model
//	PreModelSwitch       context
//	ConfigChange         context
//	CwdChanged           context
//	DirectoryAdded       context
//	FileChanged          context
//	InstructionsLoaded   context
//	WorktreeCreate       context
//	WorktreeRemove       context
//	Setup                context
//	any other            unknown
//
// A field is taken only when nothing is lost by it: it has the right JSON type, is
// not empty, and is read back as it was. Whatever is not taken is in extra, under
// its own name and in the payload's order, so that typed fields and extra together
// are the payload. Of a PostToolBatch, extra.tool_call of each event holds what is
// left of its entry, and the first event's extra what is left of the payload; an
// empty tool_calls makes one event, and stays in extra.
//
// Unknown, with the reason in metadata.hook_error, is also a payload without a
// session or hook event, a tool event without tool_use_id and a subagent event
// without agent_id; what is no JSON object is kept as text in metadata.payload.
//
// Event ids come from natural keys where there are any, so that a hook registered
// twice, or delivered twice, is one fact: the tool_use_id of PreToolUse ("pre"),
// PostToolUse ("post"), PostToolUseFailure ("post_failure"), an entry of
// PostToolBatch ("batch"), PermissionDenied ("permission_denied") and
// StructuredOutput ("structured_output"); session and task_id of TaskCreated
// ("task_created") and TaskCompleted ("task_completed"). Everything else is named by
// its hook event, receive time and payload. caused_by is the event id of the call's
// PreToolUse.
package claude

// Package claude turns what Claude Code gives its hooks, and what it writes into its
// transcripts, into Event Protocol events. It is pure: bytes and what the recorder
// observed in, events out.
//
// # Hooks
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
//
// # Transcripts
//
// A Transcript reads <session>.jsonl and agent-<id>.jsonl line by line, of every
// version from 1.0 to 2.1.330. Every event has origin "transcript", source_sdk,
// hook_event_name (the line's type; its subtype where it has one; "summary" of
// isCompactSummary), timestamp (the line's, else that of the line before; of what was queued
// the later of the two, since its line says when it was typed), session_id,
// agent_id (the line's or the file's), prompt_id, working_directory, host, user_id, and
// seq: line × 1000 + part, where the parts of a line (its blocks) count from 1 and 0 is
// the line itself.
//
//	line                              event type        what it takes                                         set
//	user, text or string              message           the text blocks, joined by newlines                   role user, actor user
//	  isMeta, or begun by             message           the same                                              role system
//	  <command-…> and its like
//	  isCompactSummary                compaction        the same
//	  an agent's first                agent_start       the same: the agent's prompt; no SubagentStart
//	user tool_result                  tool_end          toolUseResult, else content → result; of an error     status, is_error
//	                                                    its text → error_message instead
//	assistant, message.usage          llm_end           the counts, model, stop_reason → reason; once a       event id of message.id
//	                                                    call, and again where it says something new
//	assistant text                    message           text, model, message.id                               role assistant
//	assistant thinking                message           thinking, message.id                                  role assistant, reason thinking
//	assistant redacted_thinking       message           message.id                                            … reason redacted_thinking
//	assistant tool_use,               tool_start        name, id, input, model, message.id                    input_hash
//	  server_tool_use, mcp_tool_use
//	assistant …_tool_result           tool_end          content → result, error_code → error_type
//	assistant isApiErrorMessage       error, rate_limit error → error_type, its text → error_message          is_error
//	assistant of <synthetic>          message           its text: "No response requested."                    role system
//	any other block                   unknown           the block, in extra.block
//	system stop_hook_summary          turn_end
//	system turn_duration              turn_end          durationMs → duration_ms
//	system compact_boundary           compaction        compactMetadata.trigger → reason
//	system api_error                  error             its text → error_message; the type of its status      is_error
//	system local_command              message           content                                               role system
//	system, any other                 context           content
//	queue-operation remove            message           before 2.1.97: what was enqueued; prompt_id of the running    role user, or system
//	                                                    turn
//	attachment queued_command         message           prompt; prompt_id of the running turn                 role user, or system
//	attachment structured_output      structured_output data → result, toolUseID → tool_use_id
//	attachment hook_cancelled         error             of ag-hook alone: a failure of the recording, reason
//	                                                    hook.cancelled; source_sdk is ag-recorder
//	summary, custom-title,            session_update    the title, where it changed; a summary only where
//	  ai-title, agent-name                              its leafUuid is a line of the file
//	permission-mode, mode,            session_update    extra, where it changed
//	  agent-setting
//	user, assistant, system           session_update    version, entrypoint, permissionMode → extra,
//	                                                    gitBranch → metadata, where one changed
//	tag                               tag
//	any other                         none: needlessType and needlessAttachment list what is known
//
// The status of a tool_end is what the line itself knows: blocked (rejected by a rule, a
// mode or a hook: permission-rule), denied (any other decision reject), failed (an error
// of an accepted call), interrupted
// (user-rejected or interrupted, without a decision), else none. Versions before
// toolDenialKind say so in the words of the error.
//
// Extra keeps of user and assistant lines only what keptAs names, and uuid and
// parent_uuid, on the first event of the line's blocks; of system lines everything
// that says something; of llm_end usage (what no field took) and request_id; of tool_end
// content, what the model saw, where result does not say the same. Images and documents
// are named with their type and size (extra.images of a prompt), their data is kept only
// inside a toolUseResult.
//
// Event ids name the line by its uuid and the part, so that one line in two files, of a
// fork and its parent, is one fact. A line without uuid is named by where it is. In a
// fork's file (OriginScan; Copies, where no mark says so) the copied lines are facts of the sessions that they come
// from, without the prompt_id where the fork wrote another one in, and one fork event,
// told with the first line, says where it left its parent.
package claude

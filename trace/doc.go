// Package trace writes a recorded session for other programs.
//
//	format   is                                                        reads
//	jsonl    the records themselves, in their logical order, one a      the journal, record by record
//	         line: to import them gives the same graph
//	audit    the lines of agent_framework's audit dumps                 a dump's own lines where it was one,
//	                                                                    else the folded session
//	otlp     spans by OpenTelemetry's conventions for generative AI,    the folded session
//	         as OTLP/JSON, a request a line, or sent to a collector
//	chrome   Trace Event JSON, which ui.perfetto.dev and                the folded session
//	         chrome://tracing show as a timeline
//
// What a Go caller does, of an actiongraph.Home and of any other history.Source:
//
//	log, err := history.Open(ctx, history.Journal(j), session, history.Point{})
//	report, err := trace.Write(ctx, w, log, trace.Chrome, trace.Options{})
//
// The same records give the same bytes: ids are made of those of the session and its actions,
// no clock is read, and the order in which records were written is nothing.
//
// # Memory
//
// jsonl holds an index of the session, about 150 bytes a record, and 64 MiB of records. The
// others fold the session and hold its actions: of otlp and chrome without Content no texts,
// about 2 KiB an action; else the texts as the graph keeps them, each of at most 64 KiB.
//
// # Forks
//
// A fork's trace is what the fork itself recorded; its fork fact names the parent. With
// Options.Parents what it inherited comes before it: then the trace stands alone.
//
// # Spans
//
// otlp and chrome tell of a session in spans, whose tree is that of the graph:
//
//	span             of                        under
//	session          the session               –; of otlp only
//	invoke_agent     a turn: a prompt, until   the session
//	                 the next one
//	invoke_agent     a subagent                the call that spawned it, else the agent that did,
//	                                           else the turn in which it began
//	chat             a model call              the turn or the subagent; of transcripts it has no length:
//	                                           they do not say when a call began
//	execute_tool     a tool call, from its     the turn or the subagent, or the call that it is part of
//	                 start to its end
//
// Everything else that happened is an event of the span that it happened in, but for
// messages, which are content: the prompt and the answers of their turn.
//
// Without Content nothing that a person, a model or a tool wrote is in them: names of tools,
// models and types of agents, ids, times, figures and statuses are.
package trace

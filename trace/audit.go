package trace

import (
	"bufio"
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/history"
	"github.com/actiongraph/actiongraph/schema"
)

// audit writes audit dumps: of a session that was one its own lines, of any other a line for
// each action that the format has a line for.
func (r *Report) audit(ctx context.Context, w *bufio.Writer, log *history.Log, o Options) error {
	for _, s := range log.Segments {
		one := *log
		one.Segments = []history.Segment{s}
		d := dump{report: r, w: w}
		err := one.Sorted(ctx, func(_ int, record *history.Record) error {
			d.add(record)
			return nil
		})
		if err != nil {
			return err
		}
		if len(d.lines) > 0 {
			err = d.write()
		} else {
			err = r.account(ctx, w, &one, o)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// account writes a session that was no dump.
func (r *Report) account(ctx context.Context, w *bufio.Writer, log *history.Log, o Options) error {
	sessions, err := fold(ctx, log, true, o)
	if err != nil {
		return err
	}
	for _, f := range sessions {
		if err := r.linesOf(newAuditor(f), w); err != nil {
			return err
		}
	}
	return nil
}

// linesOf writes what of a session's actions has a line.
func (r *Report) linesOf(a *auditor, w *bufio.Writer) error {
	at, written := time.Time{}, map[string]bool{}
	for i := range a.f.actions {
		row := &a.f.actions[i]
		if !row.Timestamp.Equal(at) {
			at = row.Timestamp
			clear(written)
		}
		switch row.ActionType {
		case graph.ToolResult, graph.SubagentStart, graph.SubagentStop:
			continue // in the lines of what they belong to
		}
		line := a.line(row).or("")
		if line == "" || written[line] { // two lines that are the same are one fact to who reads them
			r.leave(string(row.ActionType))
			continue
		}
		written[line] = true
		r.Items++
		w.WriteString(line)
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
	}
	return nil
}

// auditor makes lines of a session's actions.
type auditor struct {
	f              *folded
	agents         map[string]*graph.AgentRow
	calls, results map[string]*graph.ActionRow
	prompted       map[string]bool // lanes whose first record has their prompt
}

func newAuditor(f *folded) *auditor {
	a := &auditor{f: f, agents: map[string]*graph.AgentRow{}, calls: map[string]*graph.ActionRow{},
		results: map[string]*graph.ActionRow{}, prompted: map[string]bool{}}
	for i := range f.agents {
		a.agents[f.agents[i].AgentID] = &f.agents[i]
	}
	for i := range f.actions {
		switch row := &f.actions[i]; row.ActionType {
		case graph.ToolCall:
			a.calls[row.ActionID] = row
		case graph.ToolResult:
			a.results[row.ParentActionID] = row
		}
	}
	return a
}

// line is the line of an action, nil where the format has none.
func (a *auditor) line(row *graph.ActionRow) *pyObject {
	switch row.ActionType {
	case graph.UserMessage:
		if row.AgentID == "" {
			return typed("user_input", row.Timestamp).text("prompt", "").text("response", row.Text)
		}
	case graph.AssistantMessage:
		if row.AgentID == "" && !row.Thinking && row.Text != "" {
			return typed("user_output", row.Timestamp).text("role", "assistant").text("text", row.Text)
		}
		if !row.Thinking && row.Text != "" {
			return a.record(row, decided("respond", row.Text, "", "{}"), nil)
		}
	case graph.SystemMessage:
		if row.AgentID == "" && row.Text != "" {
			return typed("user_output", row.Timestamp).text("role", "system").text("text", row.Text)
		}
	case graph.PermissionRequest:
		return a.permission(row)
	case graph.ToolCall:
		return a.call(row)
	case graph.ErrorEvent:
		message := cmp.Or(text(row, "error_message"), row.Text, row.Name)
		return a.record(row, nil, new(pyObject).text("name", "llm.error").text("error", message))
	}
	return nil
}

// record is the AgentCallAuditRecord of one thing that an agent did. The main thread is a run,
// too: what an agent does is in one.
func (a *auditor) record(row *graph.ActionRow, decision, event *pyObject) *pyObject {
	run, caller, name, prompt := a.f.session.SessionID, "", a.f.sdk(), ""
	if row.AgentID != "" {
		run, caller, name = row.AgentID, a.f.session.SessionID, "subagent"
		if agent := a.agents[row.AgentID]; agent != nil {
			name = cmp.Or(agent.AgentType, name)
			if call := a.calls[agent.SpawnedByActionID]; call != nil {
				caller = cmp.Or(call.AgentID, caller)
			}
			if !a.prompted[row.AgentID] {
				prompt = agent.Prompt
			}
		}
		a.prompted[row.AgentID] = true
	}
	o := new(pyObject).text("timestamp", pyTime(row.Timestamp)).text("run_id", run).textOrNull("caller_id", caller)
	o.text("agent_name", name).text("system_prompt", "").raw("system_prompt_sources", "[]")
	o.text("user_prompt", prompt).raw("user_prompt_sources", "[]")
	o.raw("llm_message_sent", "null").raw("llm_message_received", "null").raw("model_response", "null")
	o.raw("agent_decision", decision.or("null")).raw("callbacks", "[]").raw("skill_invocations", "[]")
	if event == nil {
		return o.raw("events", "[]")
	}
	return o.raw("events", "["+event.or("")+"]")
}

// call is a call with its result, as agent_framework notes it among the events.
func (a *auditor) call(row *graph.ActionRow) *pyObject {
	name := cmp.Or(row.ToolName, "unknown")
	event := new(pyObject).text("name", "tool_result").text("tool_name", name)
	switch row.Status {
	case schema.StatusCompleted:
		event.raw("ok", "true")
	case schema.StatusFailed, schema.StatusDenied, schema.StatusBlocked, schema.StatusInterrupted:
		event.raw("ok", "false")
	default:
		event = nil // nobody knows how it ended
	}
	if event != nil {
		if row.DurationMS != nil {
			event.raw("duration_ms", pyFloat(*row.DurationMS))
		}
		output := ""
		if result := a.results[row.ActionID]; result != nil {
			output = cmp.Or(result.Text, text(result, "error_message"))
		}
		event.text("output", output)
	}
	return a.record(row, decided("call_tool", "", name, cmp.Or(toolInput(row), "{}")), event)
}

// decided is an agent_decision: to respond with a text, or to call a tool.
func decided(kind, response, tool, parameters string) *pyObject {
	o := new(pyObject).text("kind", kind).text("message", "")
	o.textOrNull("response", response)
	if !strings.HasPrefix(parameters, "{") { // which the format says it is
		parameters = `{"input":` + parameters + `}`
	}
	return o.raw("parameters", parameters).raw("subagent_id", "null").textOrNull("tool_name", tool).raw("callback_intent", "null")
}

// permission is a request with how it was answered: by the call, where nobody says it of the
// request itself.
func (a *auditor) permission(row *graph.ActionRow) *pyObject {
	status, resource := row.Status, text(row, "resource")
	if call := a.calls[row.ParentActionID]; call != nil {
		status = call.Status
		resource = cmp.Or(resource, text(call, "file_path"), text(call, "command"), text(call, "url"))
	}
	o := typed("permission_request", row.Timestamp).text("tool_name", row.ToolName).text("action", text(row, "action"))
	o.text("resource", resource).text("summary", row.Text)
	switch status {
	case schema.StatusDenied, schema.StatusBlocked:
		o.raw("allowed", "false")
	case schema.StatusCompleted, schema.StatusFailed, schema.StatusInProgress:
		o.raw("allowed", "true")
	}
	return o.raw("remember_for_session", "false")
}

func typed(kind string, at time.Time) *pyObject {
	return new(pyObject).text("type", kind).text("timestamp", pyTime(at))
}

package trace

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// sdk is the runtime that was recorded.
func (f *folded) sdk() string { return cmp.Or(f.session.SourceSDK, "unknown") }

// traceID is the id of a session's trace, the same wherever and whenever it is written.
func traceID(session string) []byte {
	key := schema.NewKey("otlp trace", session)
	return key[:]
}

func spanID(session, span string) []byte {
	key := schema.NewKey("otlp span", session, span)
	return key[:8]
}

// span is a span as OpenTelemetry has it.
func (e *encoder) span(s *span) *tracepb.Span {
	id := e.f.session.SessionID
	out := &tracepb.Span{
		TraceId: traceID(id), SpanId: spanID(id, s.id), Kind: tracepb.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: nanos(s.start), EndTimeUnixNano: nanos(s.end),
	}
	if s.parent != nil {
		out.ParentSpanId = spanID(id, s.parent.id)
	}
	var a attributes
	switch s.kind {
	case sessionSpan:
		out.Name = "session"
		a.text(attrSessionID, id)
		if parent := e.f.session.ForkedFrom; parent != "" {
			a.text(attrForkedFrom, parent)
			out.Links = []*tracepb.Span_Link{{TraceId: traceID(parent), SpanId: spanID(parent, "session")}}
		}
	case turnSpan:
		e.turn(out, &a, s)
	case agentSpan:
		e.agent(out, &a, s)
	case toolSpan:
		e.tool(out, &a, s)
	case modelSpan:
		e.model(out, &a, s)
	}
	a.text(attrConversation, id)
	if status := e.f.status(s); status != "" {
		a.text(attrStatus, status)
		if problem := s.problem(status); problem != "" {
			a.text(attrErrorType, problem)
			out.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: e.content(s.message())}
		}
	}
	out.Attributes = a
	for _, action := range s.events {
		out.Events = append(out.Events, e.event(action))
	}
	return out
}

func nanos(t time.Time) uint64 { return uint64(max(0, t.UnixNano())) }

// turn is one invocation of the agent by a person.
func (e *encoder) turn(out *tracepb.Span, a *attributes, s *span) {
	name := e.f.sdk()
	out.Name = opInvokeAgent + " " + name
	a.text(attrOperation, opInvokeAgent)
	a.text(attrProvider, provider(e.f.session.Model, name))
	a.text(attrAgentName, name)
	a.text(attrRequestModel, e.f.session.Model)
	a.number(attrTurn, s.action.Turn)
	a.text(attrActionID, s.action.ActionID)
	a.text(attrInputMessages, e.messages("user", s.action.Text))
	a.text(attrOutputMessages, e.answers(s.said))
}

func (e *encoder) agent(out *tracepb.Span, a *attributes, s *span) {
	out.Name = strings.TrimSpace(opInvokeAgent + " " + s.agent.AgentType)
	a.text(attrOperation, opInvokeAgent)
	a.text(attrProvider, provider(e.f.session.Model, e.f.sdk()))
	a.text(attrAgentName, s.agent.AgentType)
	a.text(attrAgentID, s.agent.AgentID)
	a.text(attrAgentAbout, e.content(s.agent.Description))
	a.text(attrInputMessages, e.messages("user", s.agent.Prompt))
	a.text(attrOutputMessages, e.answers(s.said))
}

func (e *encoder) tool(out *tracepb.Span, a *attributes, s *span) {
	name := cmp.Or(s.action.ToolName, "unknown")
	out.Name = opExecuteTool + " " + name
	a.text(attrOperation, opExecuteTool)
	a.text(attrToolName, name)
	a.text(attrToolCallID, s.action.ToolUseID)
	if s.action.IsMCP {
		a.text(attrToolType, toolTypeMCP)
	} else {
		a.text(attrToolType, toolTypeFunction)
	}
	a.text(attrActionID, s.action.ActionID)
	a.text(attrArguments, e.content(toolInput(s.action)))
	if s.result != nil {
		a.text(attrToolResult, e.content(s.result.Text))
	}
}

func (e *encoder) model(out *tracepb.Span, a *attributes, s *span) {
	out.Kind = tracepb.Span_SPAN_KIND_CLIENT
	out.Name = strings.TrimSpace(opChat + " " + s.action.Model)
	a.text(attrOperation, opChat)
	a.text(attrProvider, provider(s.action.Model, e.f.sdk()))
	a.text(attrRequestModel, s.action.Model)
	a.text(attrResponseModel, s.action.Model)
	a.text(attrResponseID, text(s.action, "message_id"))
	a.texts(attrFinishReasons, text(s.action, "stop_reason"))
	read, written := number(s.action, "cache_read_input_tokens"), number(s.action, "cache_creation_input_tokens")
	a.number(attrInputTokens, number(s.action, "input_tokens")+read+written) // as the conventions have it, cached ones included
	a.number(attrOutputTokens, number(s.action, "output_tokens"))
	a.number(attrCacheRead, read)
	a.number(attrCacheCreation, written)
	cost, _ := s.action.Properties["cost_usd"].(float64)
	a.float(attrCostUSD, cost)
	a.text(attrActionID, s.action.ActionID)
}

// status is what the graph says of how a span went, "" where it says nothing.
func (f *folded) status(s *span) string {
	switch {
	case s.kind == sessionSpan:
		return f.session.Status
	case s.kind == agentSpan:
		return s.agent.Status
	case s.kind == turnSpan && s.over == nil:
		return ""
	case s.kind == turnSpan: // an error behind which it went on is not its end
		return s.over.Status
	}
	return s.action.Status
}

// problem is error.type of a span that did not do what it was to do, "" of any other.
func (s *span) problem(status string) string {
	switch status {
	case schema.StatusDenied, schema.StatusBlocked, schema.StatusInterrupted:
		return status
	case schema.StatusFailed:
	default:
		return ""
	}
	for _, a := range append([]*graph.ActionRow{s.result, s.action}, s.events...) {
		if a != nil && text(a, "error_type") != "" {
			return text(a, "error_type")
		}
	}
	return errorOther
}

// message is what a span that failed says of it.
func (s *span) message() string {
	for _, a := range append([]*graph.ActionRow{s.result, s.action}, s.events...) {
		if a != nil && text(a, "error_message") != "" {
			return text(a, "error_message")
		}
	}
	return ""
}

// event is what happened at one moment within a span.
func (e *encoder) event(a *graph.ActionRow) *tracepb.Span_Event {
	out := &tracepb.Span_Event{Name: "actiongraph." + string(a.ActionType), TimeUnixNano: nanos(a.Timestamp)}
	var attrs attributes
	if a.ActionType == graph.ErrorEvent || a.ActionType == graph.RateLimitEvent {
		out.Name = eventException
		attrs.text(attrExceptionType, cmp.Or(text(a, "error_type"), string(a.ActionType)))
		attrs.text(attrExceptionText, e.content(cmp.Or(text(a, "error_message"), a.Text)))
	} else {
		attrs.text(attrText, e.content(cmp.Or(a.Text, a.Name)))
	}
	attrs.text(attrToolName, a.ToolName)
	attrs.text(attrStatus, a.Status)
	attrs.text(attrActionID, a.ActionID)
	out.Attributes = attrs
	return out
}

// content is a text of the session's: "" where none is asked for.
func (e *encoder) content(s string) string {
	if !e.o.Content {
		return ""
	}
	if e.o.Redact != nil && s != "" {
		s = e.o.Redact(s)
	}
	return s
}

// messages is what was said as the conventions' schema of messages has it.
func (e *encoder) messages(role string, texts ...string) string {
	type part struct {
		Type    string `json:"type"`
		Content string `json:"content"`
	}
	type message struct {
		Role         string `json:"role"`
		Parts        []part `json:"parts"`
		FinishReason string `json:"finish_reason,omitempty"`
	}
	m := message{Role: role}
	for _, t := range texts {
		if t = e.content(t); t != "" {
			m.Parts = append(m.Parts, part{"text", t})
		}
	}
	if len(m.Parts) == 0 {
		return ""
	}
	if role == "assistant" {
		m.FinishReason = "stop" // which the schema asks for
	}
	out, _ := json.Marshal([]message{m})
	return string(out)
}

func (e *encoder) answers(said []*graph.ActionRow) string {
	texts := make([]string, len(said))
	for i, a := range said {
		texts[i] = a.Text
	}
	return e.messages("assistant", texts...)
}

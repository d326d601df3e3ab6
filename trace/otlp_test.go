package trace_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/trace"
)

// hexID is an id in OTLP/JSON.
var hexID = regexp.MustCompile(`"(traceId|spanId|parentSpanId)":"([0-9a-f]*)"`)

// spansOf reads OTLP/JSON with the official types: as Protobuf's own JSON, once its ids are in
// base64.
func spansOf(t *testing.T, text string) (out []*tracepb.Span) {
	t.Helper()
	for line := range strings.Lines(text) {
		var any map[string]json.RawMessage
		ok(t, json.Unmarshal([]byte(line), &any))
		line = hexID.ReplaceAllStringFunc(line, func(s string) string {
			m := hexID.FindStringSubmatch(s)
			id, err := hex.DecodeString(m[2])
			ok(t, err)
			return fmt.Sprintf("%q:%q", m[1], base64.StdEncoding.EncodeToString(id))
		})
		var request collectorpb.ExportTraceServiceRequest
		if err := (protojson.UnmarshalOptions{}).Unmarshal([]byte(line), &request); err != nil {
			t.Fatalf("%v:\n%.500s", err, line)
		}
		out = append(out, spansIn(t, &request)...)
	}
	return out
}

func spansIn(t *testing.T, request *collectorpb.ExportTraceServiceRequest) (out []*tracepb.Span) {
	t.Helper()
	for _, rs := range request.ResourceSpans {
		if rs.SchemaUrl != "https://opentelemetry.io/schemas/1.41.0" || attr(rs.Resource.Attributes, "service.name") == "" {
			t.Errorf("a resource %v of %s", rs.Resource, rs.SchemaUrl)
		}
		for _, ss := range rs.ScopeSpans {
			out = append(out, ss.Spans...)
		}
	}
	return out
}

// required is what the conventions at v1.41.0 require, or ask for where it is known, by
// gen_ai.operation.name: docs/gen-ai/gen-ai-spans.md and gen-ai-agent-spans.md.
var required = map[string]struct {
	kind  tracepb.Span_SpanKind
	name  func(of func(string) string) string
	attrs []string
}{
	"invoke_agent": {tracepb.Span_SPAN_KIND_INTERNAL, func(of func(string) string) string {
		return strings.TrimSpace("invoke_agent " + of("gen_ai.agent.name"))
	}, []string{"gen_ai.provider.name", "gen_ai.conversation.id"}},
	"chat": {tracepb.Span_SPAN_KIND_CLIENT, func(of func(string) string) string {
		return strings.TrimSpace("chat " + of("gen_ai.request.model"))
	}, []string{"gen_ai.provider.name", "gen_ai.conversation.id"}},
	"execute_tool": {tracepb.Span_SPAN_KIND_INTERNAL, func(of func(string) string) string {
		return "execute_tool " + of("gen_ai.tool.name")
	}, []string{"gen_ai.tool.name", "gen_ai.tool.call.id", "gen_ai.tool.type"}},
}

// checkSpans fails where spans are no tree of one trace, or not as the conventions have them.
func checkSpans(t *testing.T, spans []*tracepb.Span) {
	t.Helper()
	known := map[string]bool{}
	roots := 0
	for _, s := range spans {
		id := string(s.SpanId)
		if len(s.TraceId) != 16 || len(s.SpanId) != 8 || known[id] || !bytes.Equal(s.TraceId, spans[0].TraceId) {
			t.Errorf("%s has the ids %x %x", s.Name, s.TraceId, s.SpanId)
		}
		if len(s.ParentSpanId) == 0 {
			roots++
		} else if !known[string(s.ParentSpanId)] {
			t.Errorf("%s is under %x, which is not before it", s.Name, s.ParentSpanId)
		}
		known[id] = true
		if s.StartTimeUnixNano == 0 || s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("%s is from %d to %d", s.Name, s.StartTimeUnixNano, s.EndTimeUnixNano)
		}
		of := func(name string) string { return attr(s.Attributes, name) }
		if (s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR) != (of("error.type") != "") {
			t.Errorf("%s has the status %v and error.type %q", s.Name, s.Status, of("error.type"))
		}
		op := of("gen_ai.operation.name")
		if op == "" {
			if s.Name != "session" || len(s.ParentSpanId) > 0 {
				t.Errorf("%s has no operation", s.Name)
			}
			continue
		}
		want, there := required[op]
		if !there || s.Kind != want.kind || s.Name != want.name(of) {
			t.Errorf("%s of %s is named %q, a %v", s.Name, op, s.Name, s.Kind)
		}
		for _, name := range want.attrs {
			if of(name) == "" {
				t.Errorf("%s has no %s", s.Name, name)
			}
		}
	}
	if roots != 1 {
		t.Errorf("%d roots", roots)
	}
}

// isSpans fails where spans are not as the conventions have them, or lack a call.
func isSpans(t *testing.T, h home) {
	t.Helper()
	for _, session := range h.sessions(t) {
		text, report := h.written(t, session, trace.OTLP, trace.Options{Content: true})
		spans := spansOf(t, text)
		checkSpans(t, spans)
		if len(spans) != report.Items {
			t.Errorf("%d spans of %+v", len(spans), report)
		}
		got := map[string]*tracepb.Span{}
		for _, s := range spans {
			got[attr(s.Attributes, "actiongraph.action_id")] = s
		}
		for _, n := range h.graph(t, session).Nodes() {
			s := got[n.Key]
			switch n.Type {
			case graph.ToolCall:
				if s == nil || attr(s.Attributes, "gen_ai.tool.name") != n.Prop("tool_name") || attr(s.Attributes, "actiongraph.status") != n.Prop("status") {
					t.Errorf("%s is the span %v", n.Prop("name"), s)
				}
			case graph.LLMCall:
				if s == nil || attr(s.Attributes, "gen_ai.operation.name") != "chat" {
					t.Errorf("%s is the span %v", n.Prop("name"), s)
				}
			}
		}
	}
}

// TestOTLPTree holds the tree of a session with a subagent and a failure by name.
func TestOTLPTree(t *testing.T) {
	h := capture(t, "../internal/e2e/testdata/captures/d_agent_fg")
	text, _ := h.written(t, h.sessions(t)[0], trace.OTLP, trace.Options{})
	want := `session
  invoke_agent claude-code
    chat claude-opus-5-5
    execute_tool Agent
      invoke_agent general-purpose
        chat claude-opus-5-5
        execute_tool Bash
        chat claude-opus-5-5
        execute_tool Read
        chat claude-opus-5-5
    chat claude-opus-5-5
    execute_tool Bash
    chat claude-opus-5-5
`
	if diff := cmp.Diff(want, tree(spansOf(t, text))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func tree(spans []*tracepb.Span) string {
	var out strings.Builder
	var under func(parent string, indent string)
	under = func(parent, indent string) {
		for _, s := range spans {
			if string(s.ParentSpanId) == parent {
				out.WriteString(indent + s.Name + "\n")
				under(string(s.SpanId), indent+"  ")
			}
		}
	}
	under("", "")
	return out.String()
}

// receiver is a collector that says what it is told to, one answer a request.
type receiver struct {
	t       *testing.T
	answers []func(http.ResponseWriter)
	calls   int
	spans   []*tracepb.Span
	headers http.Header
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.headers = q.Header
	if q.Method != http.MethodPost || q.URL.Path != "/v1/traces" || q.Header.Get("Content-Type") != "application/x-protobuf" {
		r.t.Errorf("%s %s of %s", q.Method, q.URL, q.Header.Get("Content-Type"))
	}
	answer := func(w http.ResponseWriter) {}
	if r.calls < len(r.answers) {
		answer = r.answers[r.calls]
	}
	r.calls++
	status := &statusOf{ResponseWriter: w, status: http.StatusOK}
	answer(status)
	if status.status == http.StatusOK {
		var request collectorpb.ExportTraceServiceRequest
		ok(r.t, proto.Unmarshal(body, &request))
		r.spans = append(r.spans, spansIn(r.t, &request)...)
	}
}

type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) WriteHeader(status int) { s.status = status; s.ResponseWriter.WriteHeader(status) }

func TestSend(t *testing.T) {
	h := capture(t, "../internal/e2e/testdata/captures/b_failures")
	session := h.sessions(t)[0]
	text, _ := h.written(t, session, trace.OTLP, trace.Options{})
	want := spansOf(t, text)
	busy := func(status int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); w.WriteHeader(status) }
	}
	partly := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		body, _ := proto.Marshal(&collectorpb.ExportTraceServiceResponse{PartialSuccess: &collectorpb.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "too old"}})
		w.Write(body)
	}
	r := &receiver{t: t, answers: []func(http.ResponseWriter){busy(429), busy(503), busy(502), partly}}
	server := httptest.NewServer(r)
	defer server.Close()
	headers, err := trace.ParseHeaders("x-key=a%20b, authorization=Bearer%20t")
	ok(t, err)
	c := trace.Collector{Endpoint: server.URL + "/", Headers: headers}
	report, err := c.Send(t.Context(), h.log(t, session), trace.Options{})
	ok(t, err)
	if r.calls != 4 || report.Items != len(want) || report.Rejected != 2 || report.Message != "too old" {
		t.Errorf("%d calls: %+v", r.calls, report)
	}
	if r.headers.Get("X-Key") != "a b" || r.headers.Get("Authorization") != "Bearer t" {
		t.Errorf("headers %v", r.headers)
	}
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(r.spans)); diff != "" {
		t.Errorf("what is sent is not what is written:\n%s", diff)
	}
}

func TestSendFails(t *testing.T) {
	h := capture(t, "../internal/e2e/testdata/captures/a_tools")
	session := h.sessions(t)[0]
	send := func(endpoint string, patience time.Duration) error {
		c := trace.Collector{Endpoint: endpoint, Patience: patience}
		_, err := c.Send(t.Context(), h.log(t, session), trace.Options{})
		return err
	}
	for _, endpoint := range []string{"", "localhost:4318", "ftp://host", "http://", "http://[::1"} {
		if err := send(endpoint, 0); err == nil || !strings.Contains(err.Error(), "http://localhost:4318") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
	answers := func(status int, header, value string) *receiver {
		return &receiver{t: t, answers: []func(http.ResponseWriter){func(w http.ResponseWriter) {
			if header != "" {
				w.Header().Set(header, value)
			}
			w.WriteHeader(status)
		}}}
	}
	if err := send("http://u:secret@127.0.0.1:1", time.Hour); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("nobody is there: %v", err)
	}
	for _, endpoint := range []string{"http://127.0.0.1:1/x?api-key=secret", "postgres://h/db?user=u&password=secret", "http//u:secret@h", "u:secret@h"} {
		if err := send(endpoint, time.Hour); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("a credential is said: %v", err)
		}
	}
	for _, c := range []struct {
		receiver *receiver
		want     string
	}{
		{answers(400, "", ""), "400 Bad Request"},
		{answers(401, "", ""), "401 Unauthorized"},
		{answers(307, "Location", "http://example.invalid/v1/traces"), "307 Temporary Redirect"},
		{answers(503, "Retry-After", "3600"), "after 1h0m0s"},
	} {
		server := httptest.NewServer(c.receiver)
		err := send(server.URL, time.Second)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.receiver.calls != 1 {
			t.Errorf("want %s, got %v behind %d calls", c.want, err, c.receiver.calls)
		}
		server.Close()
	}
	if _, err := trace.ParseHeaders("secret"); err == nil {
		t.Error("a header without a value")
	}
	if _, err := trace.ParseHeaders("name=sec%ZZret"); err == nil || strings.Contains(err.Error(), "sec%") {
		t.Errorf("a value that is not percent-encoded: %v", err)
	}
}

package trace

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/actiongraph/actiongraph/history"
)

// scopeName is the instrumentation scope: what made the spans.
const scopeName = "github.com/actiongraph/actiongraph/trace"

// batch is how many spans a request has at most: with content it may have some megabytes then,
// which is what collectors take.
const batch = 256

// otlp writes a request a line, as OpenTelemetry's file exporter does.
func (r *Report) otlp(ctx context.Context, w *bufio.Writer, log *history.Log, o Options) error {
	sessions, err := fold(ctx, log, o.Content, o)
	if err != nil {
		return err
	}
	for request := range requests(sessions, o) {
		line, err := otlpJSON(request)
		if err != nil {
			return fmt.Errorf("write spans: %w", err)
		}
		w.Write(line)
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
		r.Items += len(request.ResourceSpans[0].ScopeSpans[0].Spans)
	}
	return ctx.Err()
}

// requests yields the spans of sessions, at most batch of one session at a time.
func requests(sessions []*folded, o Options) iter.Seq[*collectorpb.ExportTraceServiceRequest] {
	return func(yield func(*collectorpb.ExportTraceServiceRequest) bool) {
		for _, f := range sessions {
			e := encoder{f: f, o: o}
			for spans := f.spans(); len(spans) > 0; spans = spans[min(batch, len(spans)):] {
				if !yield(e.request(spans[:min(batch, len(spans))])) {
					return
				}
			}
		}
	}
}

// encoder makes spans of a session's into OpenTelemetry's.
type encoder struct {
	f *folded
	o Options
}

func (e *encoder) request(spans []*span) *collectorpb.ExportTraceServiceRequest {
	var resource attributes
	resource.text(attrServiceName, e.f.sdk())
	out := make([]*tracepb.Span, len(spans))
	for i, s := range spans {
		out[i] = e.span(s)
	}
	return &collectorpb.ExportTraceServiceRequest{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: resource},
		ScopeSpans: []*tracepb.ScopeSpans{{
			Scope: &commonpb.InstrumentationScope{Name: scopeName}, Spans: out, SchemaUrl: schemaURL,
		}},
		SchemaUrl: schemaURL,
	}}}
}

// otlpJSON is a request as OTLP/JSON, which is Protobuf's JSON but for ids in hexadecimal and
// enums as numbers. It changes the request. Protobuf writes bytes in base64: so the ids become
// the bytes whose base64 is their hexadecimal digits. The rest is Compact's: protojson
// puts blanks in at random.
func otlpJSON(request *collectorpb.ExportTraceServiceRequest) ([]byte, error) {
	for _, rs := range request.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				s.TraceId, s.SpanId, s.ParentSpanId = asHex(s.TraceId), asHex(s.SpanId), asHex(s.ParentSpanId)
				for _, l := range s.Links {
					l.TraceId, l.SpanId = asHex(l.TraceId), asHex(l.SpanId)
				}
			}
		}
	}
	raw, err := protojson.MarshalOptions{UseEnumNumbers: true}.Marshal(request)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Compact(&out, raw)
	return out.Bytes(), err
}

// asHex returns the bytes whose base64 is id's hexadecimal digits, which are all of its letters.
func asHex(id []byte) []byte {
	out, _ := base64.StdEncoding.DecodeString(hex.EncodeToString(id))
	return out
}

// attributes are the attributes of a span, without those that say nothing.
type attributes []*commonpb.KeyValue

func (a *attributes) add(name string, v *commonpb.AnyValue) {
	*a = append(*a, &commonpb.KeyValue{Key: name, Value: v})
}

func (a *attributes) text(name, v string) {
	if v != "" {
		a.add(name, textValue(v))
	}
}

// textValue is a text in UTF-8: Protobuf refuses a whole request for one that is not.
func textValue(v string) *commonpb.AnyValue {
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: strings.ToValidUTF8(v, "\ufffd")}}
}

func (a *attributes) texts(name string, v ...string) {
	values := &commonpb.ArrayValue{}
	for _, s := range v {
		if s != "" {
			values.Values = append(values.Values, textValue(s))
		}
	}
	if len(values.Values) > 0 {
		a.add(name, &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: values}})
	}
}

func (a *attributes) number(name string, v int64) {
	if v != 0 {
		a.add(name, &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: v}})
	}
}

func (a *attributes) float(name string, v float64) {
	if v != 0 {
		a.add(name, &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v}})
	}
}

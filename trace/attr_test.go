package trace_test

import commonpb "go.opentelemetry.io/proto/slim/otlp/common/v1"

// attr is an attribute that is a text, "" where there is none.
func attr(attributes []*commonpb.KeyValue, name string) string {
	for _, a := range attributes {
		if a.Key == name {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

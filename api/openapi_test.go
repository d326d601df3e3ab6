package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/schema"
)

// The document has the routes, and no others.
func TestDocumentHasTheRoutes(t *testing.T) {
	doc := readDocument(t)
	var got, want []string
	for path, methods := range doc.paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range routes() {
		path := r.prefix
		if r.suffix != "" {
			path += "{namespace}" + r.suffix
		}
		want = append(want, r.method+" "+path)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the document has\n%s\nthe server\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if v := doc.raw["openapi"]; v != "3.1.0" {
		t.Errorf("openapi %v", v)
	}
	c := newClient(t)
	if r := c.send(http.MethodGet, "/openapi.json", nil); r.text != string(openAPI) {
		t.Error("what is served is another")
	}
}

// Every reference leads somewhere, every schema compiles, and every example is as its
// schema says and is taken.
func TestDocumentIsSound(t *testing.T) {
	doc := readDocument(t)
	c := newClient(t)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && doc.at(ref) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(doc.raw)
	for path, methods := range doc.paths {
		for method, op := range methods {
			for kind, content := range op.RequestBody.Content {
				s := doc.compile(t, "#/paths/"+escape(path)+"/"+method+"/requestBody/content/"+escape(kind)+"/schema")
				if content.Example == nil {
					continue
				}
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(content.Example))
				if err == nil {
					err = s.Validate(v)
				}
				if err != nil {
					t.Errorf("the example of %s: %v", path, err)
				}
				if r := c.post(strings.Replace(path, "{namespace}", "default", 1), string(content.Example)); r.status != 200 {
					t.Errorf("the example of %s: %s", path, r.text)
				}
			}
		}
	}
	schemas := doc.raw["components"].(map[string]any)["schemas"].(map[string]any)
	for name := range schemas {
		doc.compile(t, "#/components/schemas/"+name)
	}
	// What the document says of an event is what the protocol's own schema says.
	own := doc.at("#/components/schemas/Event").(map[string]any)["properties"].(map[string]any)
	for name := range own {
		if schema.Field(schema.Field(schema.JSONSchema, "properties"), name) == nil {
			t.Errorf("an event has no field %s", name)
		}
	}
}

func escape(step string) string {
	step = strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
	return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(step)
}

func (d *document) compile(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	s, err := d.schema("openapi.json" + pointer)
	if err != nil {
		t.Fatalf("%s: %v", pointer, err)
	}
	return s
}

// at is what a reference leads to.
func (d *document) at(ref string) any {
	var v any = d.raw
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step]
	}
	return v
}

// Requests that are made from the document, right ones and such as are nearly right, get
// an answer that is in the document, and none is a failure of ours. Those that are
// as the document says are refused only for what a schema cannot say.
func TestGeneratedRequests(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClient(t)
		doc := c.doc
		path := rapid.SampledFrom(slices.Sorted(maps.Keys(doc.paths))).Draw(rt, "path")
		method := rapid.SampledFrom(slices.Sorted(maps.Keys(doc.paths[path]))).Draw(rt, "method")
		namespace := rapid.StringN(1, -1, 256).Draw(rt, "namespace")
		if strings.Contains(namespace, "/") || namespace == "" {
			namespace = "default"
		}
		target := strings.Replace(path, "{namespace}", url.PathEscape(namespace), 1)
		content := doc.paths[path][method].RequestBody.Content
		if len(content) == 0 {
			if r := c.send(strings.ToUpper(method), target, nil); r.status != 200 {
				rt.Errorf("%s %s: %s", method, target, r.text)
			}
			return
		}
		pointer := "#/paths/" + escape(path) + "/" + method + "/requestBody/content/application~1json/schema"
		g := generator{t: rt, doc: doc, wrong: rapid.IntRange(0, 3).Draw(rt, "wrong")}
		var s any
		_ = json.Unmarshal(content["application/json"].Schema, &s)
		v := g.value(s, 0)
		body, err := json.Marshal(v)
		if err != nil {
			rt.Fatal(err)
		}
		kind := "application/json"
		if path == "/v1/events" && rapid.Bool().Draw(rt, "as lines") {
			kind = "application/x-ndjson"
		}
		r := c.post(target, string(body), "Content-Type: "+kind)
		if r.status >= 500 {
			rt.Errorf("%s %s: %s: %s", method, target, body, r.text)
		}
		again, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			rt.Fatal(err)
		}
		valid := doc.compile(t, pointer).Validate(again) == nil
		if valid && r.status != 200 && r.Error.Field == "" && r.Error.Column == 0 && kind == "application/json" {
			rt.Errorf("%s %s: %s: refused without a place: %s", method, target, body, r.text)
		}
		if r.status != 200 && len(c.store.events)+len(c.store.grains) > 0 {
			rt.Errorf("refused, and recorded: %s", body)
		}
	})
}

// generator makes values of a schema, as many wrong ones among them as wrong says.
type generator struct {
	t     *rapid.T
	doc   *document
	wrong int
}

func (g *generator) value(s any, depth int) any {
	m, _ := s.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		return g.value(g.doc.at(ref), depth)
	}
	if g.wrong > 0 && rapid.IntRange(0, 5).Draw(g.t, "go wrong") == 0 {
		g.wrong--
		return g.anything(depth)
	}
	if any, ok := m["oneOf"].([]any); ok {
		return g.value(any[rapid.IntRange(0, len(any)-1).Draw(g.t, "one")], depth)
	}
	if v, ok := m["const"]; ok {
		return v
	}
	if all, ok := m["enum"].([]any); ok {
		return rapid.SampledFrom(all).Draw(g.t, "enum")
	}
	kind := m["type"]
	if kinds, ok := kind.([]any); ok {
		kind = rapid.SampledFrom(kinds).Draw(g.t, "type")
	}
	switch kind {
	case "null":
		return nil
	case "object":
		return g.object(m, depth)
	case "array":
		n := rapid.IntRange(0, min(g.number(m, "maxItems", 3), 3)).Draw(g.t, "items")
		list := make([]any, n)
		for i := range list {
			list[i] = g.value(m["items"], depth+1)
		}
		return list
	case "string":
		return g.text(m)
	case "integer":
		return rapid.IntRange(g.number(m, "minimum", -5), g.number(m, "maximum", 1<<40)).Draw(g.t, "integer")
	case "number":
		return rapid.Float64Range(float64(g.number(m, "minimum", -5)), float64(g.number(m, "maximum", 1<<40))).Draw(g.t, "number")
	case "boolean":
		return rapid.Bool().Draw(g.t, "boolean")
	}
	return g.anything(depth)
}

func (g *generator) number(m map[string]any, name string, otherwise int) int {
	if n, ok := m[name].(json.Number); ok {
		i, _ := strconv.Atoi(n.String())
		return i
	}
	if n, ok := m[name].(float64); ok {
		return int(n)
	}
	return otherwise
}

func (g *generator) text(m map[string]any) string {
	if m["format"] == "date-time" {
		return rapid.SampledFrom([]string{"2026-03-01T14:00:00Z", "1999-12-31T23:59:59.999999999+14:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z"}).Draw(g.t, "time")
	}
	return rapid.StringN(g.number(m, "minLength", 0), -1, g.number(m, "maxLength", 64)).Draw(g.t, "string")
}

func (g *generator) object(m map[string]any, depth int) map[string]any {
	out := map[string]any{}
	required, _ := m["required"].([]any)
	properties, _ := m["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || rapid.IntRange(0, 2).Draw(g.t, name) == 0 {
			out[name] = g.value(properties[name], depth+1)
		}
	}
	if g.wrong > 0 && len(out) > 0 && rapid.IntRange(0, 5).Draw(g.t, "leave out") == 0 {
		g.wrong--
		delete(out, rapid.SampledFrom(slices.Sorted(maps.Keys(out))).Draw(g.t, "which"))
	}
	if m["additionalProperties"] != false && rapid.IntRange(0, 4).Draw(g.t, "more") == 0 {
		out[rapid.String().Draw(g.t, "name")] = g.anything(depth + 1)
	}
	return out
}

// anything is a value of no schema.
func (g *generator) anything(depth int) any {
	kinds := 6
	if depth > 4 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(g.t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(g.t, "bool")
	case 2:
		return rapid.Float64Range(-1e300, 1e300).Draw(g.t, "float")
	case 3:
		return rapid.String().Draw(g.t, "text")
	case 4:
		return []any{g.anything(depth + 1), g.anything(depth + 1)}
	}
	return map[string]any{rapid.String().Draw(g.t, "member"): g.anything(depth + 1)}
}

// FuzzRequests sends any bytes, to each path that takes some.
func FuzzRequests(f *testing.F) {
	f.Add(start+"\n"+end, true, "")
	f.Add("["+start+","+end+"]", false, "gzip")
	f.Add(seedBatch, false, "")
	f.Add(`{"query": "web_search weather", "grain_type": "action", "limit": 10}`, false, "")
	f.Add("\xef\xbb\xbf{\n}", false, "")
	f.Fuzz(func(t *testing.T, body string, lines bool, coding string) {
		for _, path := range []string{"/v1/events", "/api/memories/default/batch-add", "/api/memories/default/recall"} {
			c := newClient(t)
			kind := "application/json"
			if lines {
				kind = "application/x-ndjson"
			}
			if strings.ContainsAny(coding, "\r\n\x00") {
				coding = ""
			}
			r := c.post(path, body, "Content-Type: "+kind, "Content-Encoding: "+coding)
			if r.status >= 500 {
				t.Errorf("%s: %q: %s", path, body, r.text)
			}
			if r.status != 200 && len(c.store.events)+len(c.store.grains) > 0 {
				t.Errorf("%s: refused, and recorded: %q", path, body)
			}
			for _, e := range c.store.events {
				if err := e.Validate(); err != nil || e.EventID == "" {
					t.Errorf("%s: recorded: %+v: %v", path, e, err)
				}
			}
		}
	})
}

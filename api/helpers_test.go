package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// fake is a Store that keeps what it gets.
type fake struct {
	mu     sync.Mutex
	events []schema.Event
	grains []jsonl.Grain
	asked  []graph.SearchQuery

	hits    []graph.SearchHit
	actions map[string]graph.ActionRow
	looked  int // for actions

	err   error                           // what everything answers
	panic any                             // what everything panics with
	hold  func()                          // called by each
	wait  func(ctx context.Context) error // what recalls do
}

func (f *fake) enter() (func(), error) {
	if f.hold != nil {
		f.hold()
	}
	if f.panic != nil {
		panic(f.panic)
	}
	f.mu.Lock()
	return f.mu.Unlock, f.err
}

func (f *fake) AddEvents(events []schema.Event) error {
	leave, err := f.enter()
	defer leave()
	if err == nil {
		f.events = append(f.events, events...)
	}
	return err
}

func (f *fake) AddBatch(grains []jsonl.Grain) (hashes []string, err error) {
	leave, err := f.enter()
	defer leave()
	if err != nil {
		return nil, err
	}
	f.grains = append(f.grains, grains...)
	for i := range grains {
		hashes = append(hashes, grains[i].Hash())
	}
	return hashes, nil
}

func (f *fake) Recall(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error) {
	if f.wait != nil {
		return nil, f.wait(ctx)
	}
	leave, err := f.enter()
	defer leave()
	f.asked = append(f.asked, q)
	return f.hits, err
}

func (f *fake) Action(_ context.Context, id string) (graph.ActionRow, error) {
	f.looked++
	if row, ok := f.actions[id]; ok {
		return row, nil
	}
	return graph.ActionRow{}, graph.ErrNotFound
}

// client sends requests to a server, and holds every answer against the document.
type client struct {
	t      *testing.T
	store  *fake
	server *Server
	log    bytes.Buffer
	doc    *document
}

func newClient(t *testing.T) *client {
	c := &client{t: t, store: &fake{}, doc: readDocument(t)}
	c.server = &Server{Store: c.store, Signals: &signals{ready: true}, Host: "machine", User: "dev", HashKey: []byte("key"), Log: zerolog.New(&c.log)}
	return c
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	text   string
	Error  struct {
		Message string
		Item    *int
		Field   string
		Line    int64
		Column  int
	}
}

// is compares an error's parts: status, and item, field, line and column where they are
// not empty, as in "400 item=1 field=tool_name line=2".
func (r reply) parts() string {
	text := strconv.Itoa(r.status)
	if r.Error.Item != nil {
		text += " item=" + strconv.Itoa(*r.Error.Item)
	}
	if r.Error.Field != "" {
		text += " field=" + r.Error.Field
	}
	if r.Error.Line != 0 {
		text += " line=" + strconv.FormatInt(r.Error.Line, 10)
	}
	if r.Error.Column != 0 {
		text += " column=" + strconv.Itoa(r.Error.Column)
	}
	return text
}

// post sends JSON, with headers "Name: value" that come before the usual ones.
func (c *client) post(path, body string, headers ...string) reply {
	return c.send(http.MethodPost, path, strings.NewReader(body), append([]string{"Content-Type: application/json"}, headers...)...)
}

func (c *client) send(method, path string, body io.Reader, headers ...string) reply {
	c.t.Helper()
	r := httptest.NewRequest(method, path, body)
	r.Host = "localhost"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	c.server.Handler("").ServeHTTP(w, r)
	return c.read(w.Result(), method, r.URL.EscapedPath())
}

func (c *client) read(resp *http.Response, method, path string) reply {
	c.t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	got := reply{status: resp.StatusCode, header: resp.Header, text: string(text)}
	if path == "/metrics" && resp.StatusCode == http.StatusOK { // the only one that is no JSON
		if h := resp.Header; h.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			c.t.Errorf("%s %s: headers %v", method, path, h)
		}
		return got
	}
	if err := json.Unmarshal(text, &got); err != nil {
		c.t.Fatalf("%s %s: %d, no JSON: %v: %q", method, path, resp.StatusCode, err, text)
	}
	if resp.StatusCode >= 400 && got.Error.Message == "" && path != "/readyz" { // who is not ready says which store is not
		c.t.Errorf("%s %s: %d without a message: %s", method, path, resp.StatusCode, text)
	}
	if h := resp.Header; h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" ||
		h.Get("Access-Control-Allow-Origin") != "" {
		c.t.Errorf("%s %s: headers %v", method, path, h)
	}
	if err := c.doc.check(method, path, resp.StatusCode, text); err != nil {
		c.t.Errorf("%s %s: the answer is not as openapi.json says: %v\n%s", method, path, err, text)
	}
	return got
}

// document is openapi.json.
type document struct {
	raw   map[string]any
	paths map[string]map[string]operation

	mu      sync.Mutex
	schemas *jsonschema.Compiler
	made    map[string]*jsonschema.Schema
}

func (d *document) schema(pointer string) (s *jsonschema.Schema, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s = d.made[pointer]; s == nil {
		s, err = d.schemas.Compile(pointer)
		d.made[pointer] = s
	}
	return s, err
}

type operation struct {
	Responses   map[string]json.RawMessage `json:"responses"`
	RequestBody struct {
		Content map[string]struct {
			Schema  json.RawMessage `json:"schema"`
			Example json.RawMessage `json:"example"`
		} `json:"content"`
	} `json:"requestBody"`
}

// readDocument reads it once: to compile its schemas takes longer than most tests.
func readDocument(t testing.TB) *document {
	t.Helper()
	documents.once.Do(func() { documents.one = parseDocument(t) })
	return documents.one
}

var documents struct {
	once sync.Once
	one  *document
}

func parseDocument(t testing.TB) *document {
	d := &document{schemas: jsonschema.NewCompiler(), made: map[string]*jsonschema.Schema{}}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	d.raw = raw.(map[string]any)
	if err := d.schemas.AddResource("openapi.json", raw); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]operation `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	d.paths = doc.Paths
	return d
}

// pathOf returns the path of the document that a request's is, "" where there is none.
func (d *document) pathOf(path string) string {
	for p := range d.paths {
		before, after, parameter := strings.Cut(p, "{namespace}")
		if p == path || parameter && strings.HasPrefix(path, before) && strings.HasSuffix(path, after) &&
			len(path) > len(before)+len(after) && !strings.Contains(path[len(before):len(path)-len(after)], "/") {
			return p
		}
	}
	return ""
}

// check holds an answer against the document. A path that it has not, and a method, may
// only be answered with what every path has.
func (d *document) check(method, path string, status int, text []byte) error {
	at := d.pathOf(path)
	op, known := d.paths[at][strings.ToLower(strings.Replace(method, http.MethodHead, http.MethodGet, 1))]
	where := []string{"components", "responses", map[int]string{403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 401: "Unauthorized"}[status]}
	if known {
		response, documented := op.Responses[strconv.Itoa(status)]
		if !documented {
			return &undocumented{status}
		}
		where = []string{"paths", at, strings.ToLower(method), "responses", strconv.Itoa(status)}
		if ref := schema.FieldString(response, "$ref"); ref != "" {
			where = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		}
	} else if where[2] == "" {
		return &undocumented{status}
	}
	pointer := "openapi.json#"
	for _, step := range append(where, "content", "application/json", "schema") {
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
		pointer += "/" + strings.NewReplacer("{", "%7B", "}", "%7D").Replace(step)
	}
	s, err := d.schema(pointer)
	if err != nil {
		return err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

type undocumented struct{ status int }

func (u *undocumented) Error() string { return "status " + strconv.Itoa(u.status) + " is not in it" }

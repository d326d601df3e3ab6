package api

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestBodies(t *testing.T) {
	c := newClient(t)
	c.server.MaxBody = 1000
	const question = `{"query": "web_search"}`
	long := question + strings.Repeat(" ", 1001-len(question))
	for _, test := range []struct {
		what, body string
		headers    []string
		want       string
	}{
		{"one", question, nil, "200"},
		{"with a byte order mark", "\xef\xbb\xbf" + question, nil, "200"},
		{"over lines", "{\r\n\"query\":\n\"web_search\"\r\n}\r\n", nil, "200"},
		{"as long as may be", long[:1000], nil, "200"},
		{"a byte longer", long, nil, "413"},
		{"whose length is not said", long, []string{"Transfer-Encoding: chunked"}, "413"},
		{"zipped", zipped(t, question), []string{"Content-Encoding: gzip"}, "200"},
		{"zipped, as long as may be", zipped(t, long[:1000]), []string{"Content-Encoding: gzip"}, "200"},
		{"zipped, a byte longer", zipped(t, long), []string{"Content-Encoding: gzip"}, "413"},
		{"a bomb", zipped(t, strings.Repeat(" ", 900_000)), []string{"Content-Encoding: gzip"}, "413"},
		{"said to be zipped", question, []string{"Content-Encoding: gzip"}, "400"},
		{"zipped, and cut", zipped(t, question)[:20], []string{"Content-Encoding: gzip"}, "400"},
		{"zipped twice", question, []string{"Content-Encoding: gzip, gzip"}, "415"},
		{"otherwise compressed", question, []string{"Content-Encoding: br"}, "415"},
		{"identity", question, []string{"Content-Encoding: identity"}, "200"},
		{"empty", "", nil, "400"},
		{"blank", " \n ", nil, "400"},
		{"no JSON", "query", nil, "400 line=1 column=1"},
		{"cut", `{"query":`, nil, "400 line=1 column=9"},
		{"wrong in its third line", "{\n\"query\":\n  x}", nil, "400 line=3 column=3"},
		{"two values", "{}\n{}", nil, "400 line=2 column=1"},
		{"not UTF-8", "{\n \"query\": \"\xff\"}", nil, "400 line=2 column=12"},
		{"half a surrogate", "{\"query\": \"\xed\xa0\x80\"}", nil, "400 line=1 column=12"},
		{"no object", `[]`, nil, "400"},
		{"nested too deep", strings.Repeat("[", 500) + strings.Repeat("]", 500), nil, "400"},
		{"a form", "query=x", []string{"Content-Type: application/x-www-form-urlencoded"}, "415"},
		{"a form's text", question, []string{"Content-Type: text/plain"}, "415"},
		{"a form's parts", question, []string{"Content-Type: multipart/form-data; boundary=x"}, "415"},
		{"without a type", question, []string{"Content-Type: "}, "415"},
		{"of no type", question, []string{"Content-Type: ;;;"}, "415"},
		{"of two types", question, []string{"Content-Type: text/plain, application/json"}, "415"},
		{"with its charset", question, []string{"Content-Type: application/json; charset=UTF-8"}, "200"},
		{"in another charset", question, []string{"Content-Type: application/json; charset=latin1"}, "415"},
		{"lines where one value is", question, []string{"Content-Type: application/x-ndjson"}, "415"},
	} {
		got := c.post("/api/memories/default/recall", test.body, test.headers...)
		if got.parts() != test.want {
			t.Errorf("a body %s: %s, want %s: %s", test.what, got.parts(), test.want, got.text)
		}
	}
	c.server.MaxBody = 0
	whole := question + strings.Repeat(" ", longestQuestion-len(question))
	for body, want := range map[string]int{whole: 200, whole + " ": 413} {
		if got := c.post("/api/memories/default/recall", body); got.status != want {
			t.Errorf("a recall of %d bytes: %d, want %d", len(body), got.status, want)
		}
	}
	if got := c.post("/v1/events", strings.Repeat(" ", 2*longestQuestion)+start); got.status != 200 {
		t.Errorf("an event after blanks: %s", got.text)
	}
	got := c.send(http.MethodPost, "/api/memories/default/recall",
		io.MultiReader(strings.NewReader(`{"query"`), iotest.ErrReader(io.ErrUnexpectedEOF)), "Content-Type: application/json")
	if got.status != 400 {
		t.Errorf("a client that goes away: %d", got.status)
	}
}

func TestPaths(t *testing.T) {
	c := newClient(t)
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/", "404"},
		{"GET", "/healthz", "200"},
		{"GET", "/healthz/", "404"},
		{"GET", "//healthz", "404"},
		{"POST", "/healthz", "405"},
		{"GET", "/openapi.json", "200"},
		{"GET", "/v1/events", "405"},
		{"DELETE", "/v1/events", "405"},
		{"GET", "/api/memories/default/recall", "405"},
		{"PUT", "/api/memories/default/batch-add", "405"},
		{"POST", "/api/memories//recall", "404"},
		{"POST", "/api/memories/recall", "404"},
		{"POST", "/api/memories/a/b/recall", "404"},
		{"POST", "/api/memories/a/add", "404"},
		{"POST", "/api/memories/a%2Fb/recall", "200"},
		{"POST", "/api/memories/../recall", "200"}, // a namespace is no path
		{"POST", "/api/memories/%E2%82%AC/recall", "200"},
		{"POST", "/api/memories/%ff/recall", "400 field=namespace"},
		{"POST", "/api/memories/a%00/recall", "400 field=namespace"},
		{"POST", "/api/memories/a%0A/recall", "400 field=namespace"},
		{"POST", "/api/memories/%20%09/recall", "400 field=namespace"},
		{"POST", "/api/memories/" + strings.Repeat("a", 256) + "/recall", "200"},
		{"POST", "/api/memories/" + strings.Repeat("a", 257) + "/recall", "400 field=namespace"},
	} {
		got := c.send(test.method, test.path, strings.NewReader("{}"), "Content-Type: application/json")
		if got.parts() != test.want {
			t.Errorf("%s %s: %s, want %s: %s", test.method, test.path, got.parts(), test.want, got.text)
		}
		if got.status == 405 && got.header.Get("Allow") == "" {
			t.Errorf("%s %s: without Allow", test.method, test.path)
		}
	}
	if len(c.store.asked) != 4 || c.store.asked[0].Session == c.store.asked[1].Session {
		t.Errorf("asked %d times: %+v", len(c.store.asked), c.store.asked)
	}
}

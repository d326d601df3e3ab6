package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// added is the answer to a batch of grains: all or none are added.
type added struct {
	Added  int      `json:"added"`
	Failed int      `json:"failed"`
	Hashes []string `json:"hashes"` // in the order of the batch
	// Forgotten says that the namespace, or a grain's own, was forgotten: of these grains nothing is
	// recorded. It counts two events a grain.
	Forgotten int `json:"forgotten,omitempty"`
}

// batchAdd records Action grains. A grain that names a namespace is of that one, not of
// the path's.
func (s *Server) batchAdd(q *request) (answer, error) {
	v, err := oneValue(q.body)
	if err != nil {
		return nil, err
	}
	for _, list := range [][]byte{v.flat, schema.Field(v.flat, "grains")} {
		if err := fewItems(list); err != nil {
			return nil, err
		}
	}
	src := s.source(jsonl.OMS)
	src.Namespace = q.namespace
	grains, err := jsonl.ParseBatch(v.flat, &src)
	if err != nil {
		return nil, v.wrong(err)
	}
	if err := onceEach(v.flat); err != nil {
		return nil, err
	}
	if err := checkGrains(grains); err != nil {
		return nil, err
	}
	v, q.body = value{}, nil // memory that is as long as the grains
	a := added{Hashes: make([]string, 0, len(grains))}
	for part := range slices.Chunk(grains, atOnce) {
		hashes, err := s.Store.AddBatch(part)
		if !passedOver(err, &a.Forgotten) {
			return nil, recorded(err, len(a.Hashes))
		}
		a.Hashes = append(a.Hashes, hashes...)
		clear(part)
	}
	s.counts.events.Add(2 * int64(len(grains)))
	a.Added = len(a.Hashes)
	return a, nil
}

// checkGrains looks at all of them before the first is recorded.
func checkGrains(grains []jsonl.Grain) error {
	for i := range grains {
		var wrong *jsonl.LineError
		if err := grains[i].Validate(); errors.As(err, &wrong) {
			wrong.Item = i
			return wrong
		}
	}
	return nil
}

// defaultLimit is how many results a recall gives that asks for no number, as the
// Areev SDK's does.
const (
	defaultLimit = 10
	mostResults  = 1000
)

// longestQuestion is the longest body of a recall.
const longestQuestion = 64 << 10

// recall finds what tools were called with and what they gave.
func (s *Server) recall(r *request) (answer, error) {
	v, err := oneValue(r.body)
	if err != nil {
		return nil, err
	}
	q := question{namespace: r.namespace, SearchQuery: graph.SearchQuery{Recall: true, Limit: defaultLimit}}
	if err := q.read(v.flat); err != nil {
		return nil, err
	}
	limit := q.Limit
	q.Session, q.Limit = jsonl.NamespaceSession(q.namespace), limit+1
	hits, err := s.Store.Recall(r.Context(), q.SearchQuery)
	behind := errors.Is(err, ErrBehind)
	if err != nil && !behind {
		return nil, notRecalled(r.Context(), err)
	}
	a := recalled{Results: []result{}, HasMore: len(hits) > limit, Behind: behind}
	tasks := map[string]string{}
	for _, hit := range hits[:min(limit, len(hits))] {
		found := resultOf(hit, q.namespace)
		task, err := s.taskOf(r.Context(), hit.Action.ParentActionID, tasks)
		if err != nil {
			return nil, notRecalled(r.Context(), err)
		}
		if task != "" {
			found.Fields["parent_task_id"] = task
		}
		a.Results = append(a.Results, found)
	}
	a.Count = len(a.Results)
	return a, nil
}

// notRecalled is the error of a store. What one says whose context has ended, it says
// because of that: "interrupted".
func notRecalled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if errors.Is(err, graph.ErrLongQuestion) {
		p := bad("query: %v", err)
		p.Field = "query"
		return p
	}
	return &problem{status: http.StatusInternalServerError, cause: err, Message: "recall: " + err.Error()}
}

// question is the body of a recall.
type question struct {
	namespace string
	graph.SearchQuery
}

// read takes the members of a question. One that there is not is refused: who sends a
// filter believes in it.
func (q *question) read(text []byte) error {
	if bytes.TrimSpace(text)[0] != '{' {
		return bad(`the body is to be an object like {"query": "web_search weather"}`)
	}
	if err := onceEach(text); err != nil {
		return err
	}
	for name, raw := range schema.Fields(text) {
		if string(raw) == "null" {
			continue
		}
		if err := q.set(name, raw); err != nil {
			p := bad("%s: %v", name, err)
			p.Field = name
			return p
		}
	}
	return nil
}

func (q *question) set(name string, raw json.RawMessage) (err error) {
	var kind string
	switch name {
	case "query":
		return asWords(raw, &q.Words)
	case "tool_name":
		return asString(raw, &q.Tool)
	case "parent_task_id":
		return asString(raw, &q.Task)
	case "related_to":
		return asString(raw, &q.RelatedTo)
	case "since":
		return asTime(raw, &q.Since)
	case "until":
		return asTime(raw, &q.Until)
	case "limit":
		return asLimit(raw, &q.Limit)
	case "tags":
		return asTags(raw, &q.Tags)
	case "is_error":
		return asFailed(raw, &q.Failed)
	case "namespace":
		if err := asString(raw, &q.namespace); err != nil {
			return err
		}
		return jsonl.CheckNamespace(q.namespace)
	case "grain_type":
		if err = asString(raw, &kind); err == nil && kind != "action" {
			err = fmt.Errorf("%q: only grains of type action are recorded", kind)
		}
		return err
	}
	return errors.New("there is no such member: see /openapi.json")
}

func asString(raw json.RawMessage, dst *string) error {
	if raw[0] != '"' {
		return errors.New("want a string")
	}
	*dst = schema.Unquote(raw)
	return nil
}

// mostWords bounds the words of a question: each is looked up by itself.
const mostWords = 64

// asWords takes each word once.
func asWords(raw json.RawMessage, dst *string) error {
	var text string
	if err := asString(raw, &text); err != nil {
		return err
	}
	var words []string
	there := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		if there[word] {
			continue
		}
		if len(words) == mostWords {
			return fmt.Errorf("more than %d words: ask for fewer", mostWords)
		}
		there[word], words = true, append(words, word)
	}
	*dst = strings.Join(words, " ")
	return nil
}

func asTime(raw json.RawMessage, dst *time.Time) error {
	var text string
	err := asString(raw, &text)
	if err == nil {
		*dst, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		return errors.New(`want a time like "2026-03-01T14:00:00Z"`)
	}
	return nil
}

func asLimit(raw json.RawMessage, dst *int) error {
	var n float64
	if err := json.Unmarshal(raw, &n); err != nil || n != math.Trunc(n) || n < 1 || n > mostResults {
		return fmt.Errorf("want a whole number from 1 to %d", mostResults)
	}
	*dst = int(n)
	return nil
}

// mostTags bounds the tags of a question: each is looked up by itself.
const mostTags = 64

// asTags takes an array of tags, each once.
func asTags(raw json.RawMessage, dst *[]string) error {
	want := errors.New(`want tags, like ["api-call"]`)
	if raw[0] != '[' {
		return want
	}
	for text := range schema.Elements(raw) {
		var tag string
		if asString(text, &tag) != nil || tag == "" {
			return want
		}
		if slices.Contains(*dst, tag) {
			continue
		}
		if len(*dst) == mostTags {
			return fmt.Errorf("more than %d tags: ask for fewer", mostTags)
		}
		*dst = append(*dst, tag)
	}
	return nil
}

func asFailed(raw json.RawMessage, dst *bool) error {
	if string(raw) != "true" {
		return errors.New("want true, for the failed ones, or leave it out")
	}
	*dst = true
	return nil
}

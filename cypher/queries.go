package cypher

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:embed queries
var queryFiles embed.FS

// ParamType says what values a parameter of a saved query takes.
type ParamType string

// The types of parameters. A session is a string that names a Session: callers may
// resolve a prefix or "latest", which matches nothing in the graph. A time is a string in
// schema.TimeLayout, so that it compares with the times in the graph; empty is none. Words
// are a query of the engine's full text, which callers make of what a person typed.
const (
	StringParam  ParamType = "string"
	IntParam     ParamType = "int"
	FloatParam   ParamType = "float"
	BoolParam    ParamType = "bool"
	TimeParam    ParamType = "time"
	ListParam    ParamType = "list" // of strings
	SessionParam ParamType = "session"
	WordsParam   ParamType = "words"
)

// Param is one parameter of a saved query.
type Param struct {
	Name     string
	Type     ParamType
	Required bool   // there is no default
	Default  string // as a person writes it: latest, 20, "" (without quotes)
	Help     string
}

// Query is one saved query: a file of queries/, or two where the engines differ. Its
// first comment lines are its documentation, strictly:
//
//	// What it answers, in one sentence.
//	// $name type = default – what it means
//	// $name type – what it means            (without a default it has to be given)
//
// Defaults of strings, sessions, times, words and lists are in double quotes. Comment lines
// after these are notes: why there are two files.
type Query struct {
	Name    string // the file's: failed-actions
	Summary string
	Params  []Param

	texts map[Dialect]string
}

// Text returns the file for an engine, comments included.
func (q Query) Text(d Dialect) string { return q.texts[d] }

// Same reports whether one text serves both engines.
func (q Query) Same() bool { return q.texts[Neo4j] == q.texts[Memgraph] }

// Queries returns the saved queries, sorted by name.
func Queries() ([]Query, error) { return parseQueries(queryFiles) }

func parseQueries(files fs.FS) ([]Query, error) {
	names, err := fs.Glob(files, "queries/*.cypher")
	if err != nil {
		return nil, err
	}
	byName := map[string]*Query{}
	var out []*Query
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(strings.TrimPrefix(file, "queries/"), ".cypher")
		name, dialect, own := strings.Cut(base, ".")
		q, err := parseQuery(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		have := byName[name]
		if have == nil {
			q.Name, q.texts = name, map[Dialect]string{}
			have = &q
			byName[name] = have
			out = append(out, have)
		} else if have.Summary != q.Summary || !slices.Equal(have.Params, q.Params) {
			return nil, fmt.Errorf("%s: its summary or parameters are not those of the other engine's file", file)
		}
		for _, d := range []Dialect{Neo4j, Memgraph} {
			if !own || dialect == string(d) {
				have.texts[d] = string(text)
			}
		}
	}
	slices.SortFunc(out, func(a, b *Query) int { return strings.Compare(a.Name, b.Name) })
	queries := make([]Query, len(out))
	for i, q := range out {
		if q.texts[Neo4j] == "" || q.texts[Memgraph] == "" {
			return nil, fmt.Errorf("query %s: there is a file for one engine only", q.Name)
		}
		queries[i] = *q
	}
	return queries, nil
}

func parseQuery(text string) (q Query, err error) {
	param, err := regexp.Compile(`^\$([a-z_]+) ([a-z]+)(?: = (\S+))? – (.+)$`)
	if err != nil {
		return q, err
	}
	notes := false
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "// ")
		switch {
		case !ok && q.Summary == "":
			return q, fmt.Errorf("the first line is no comment that says what it answers")
		case !ok:
			return q, nil
		case q.Summary == "":
			q.Summary = comment
		case strings.HasPrefix(comment, "$"):
			m := param.FindStringSubmatch(comment)
			if m == nil || notes {
				return q, fmt.Errorf("%q: want // $name type = default – what it means, right below the first line", comment)
			}
			p, err := parseParam(m[1], ParamType(m[2]), m[3], m[4])
			if err != nil {
				return q, err
			}
			q.Params = append(q.Params, p)
		default:
			notes = true
		}
	}
	return q, fmt.Errorf("there is no statement")
}

func parseParam(name string, t ParamType, value, help string) (Param, error) {
	p := Param{Name: name, Type: t, Required: value == "", Default: value, Help: help}
	quoted := false
	switch t {
	case StringParam, TimeParam, ListParam, SessionParam, WordsParam:
		quoted = true
	case IntParam, FloatParam, BoolParam:
	default:
		return p, fmt.Errorf("$%s: there is no type %q", name, t)
	}
	if p.Required || !quoted {
		return p, nil
	}
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return p, fmt.Errorf("$%s: the default of a %s is in double quotes, %s is not", name, t, value)
	}
	p.Default = value[1 : len(value)-1]
	return p, nil
}

// Package cypher holds every statement that is sent to Neo4j or Memgraph, one a file,
// for people to read and to run by hand.
//
//	schema/<dialect>/  constraints, indexes and full text
//	write/             what the store sends to keep the graph in step with the journal
//	read/              what the readers ask
//
// Where both engines take the same words there is one file, x.cypher; where they do
// not, x.neo4j.cypher and x.memgraph.cypher say why in their first line.
//
// No text of a statement ever comes from data. The words in capitals between
// underscores (_LABELS_) in some files of write/ are replaced by names that package
// graph declares.
package cypher

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

//go:embed schema write read
var files embed.FS

// Dialect is an engine's Cypher.
type Dialect string

// The dialects.
const (
	Neo4j    Dialect = "neo4j"
	Memgraph Dialect = "memgraph"
)

// Setup returns the statements that make constraints, indexes and the full-text index.
// Each is a transaction of its own.
func Setup(d Dialect) []string { return script(d, "setup") }

// Drop returns the statements that take back what Setup's make; the data stays.
func Drop(d Dialect) []string { return script(d, "drop") }

func script(d Dialect, name string) (out []string) {
	for s := range strings.SplitSeq(mustRead("schema/"+string(d)+"/"+name+".cypher"), ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Read returns the statement of read/<name>.cypher. Asking for one that is not there is
// a mistake of the program, and panics.
func Read(d Dialect, name string) string { return statement(d, "read", name) }

// Write returns the statement of write/<name>.cypher, as Read does.
func Write(d Dialect, name string) string {
	if d == Neo4j && strings.HasPrefix(name, "put_") {
		return putOptions + statement(d, "write", name)
	}
	return statement(d, "write", name)
}

// putOptions are Neo4j's query options for the statements that a catch-up consists of.
// They find everything by unique keys, so that no statistics give a better plan; yet
// Neo4j makes a new one each time that the graph has grown by a part, and by default
// bytecode of its own for the expressions of each, which the JVM then compiles.
// Measured: a server's first 100,000 actions after a warm-up of 25,000 take it 338 µs of
// CPU time each, without them 423.
const putOptions = "CYPHER replan=skip expressionEngine=interpreted\n"

// Actions returns a Write statement for Actions of one type: its labels are in it.
func Actions(d Dialect, name string, t graph.ActionType) string {
	all := map[string]bool{}
	var others []string
	for _, label := range t.Labels() {
		all[label] = true
	}
	for _, other := range graph.ActionTypes() {
		for _, label := range other.Labels() {
			if !all[label] {
				all[label] = true
				others = append(others, label)
			}
		}
	}
	return strings.NewReplacer("_LABELS_", strings.Join(t.Labels(), ":"), "_OTHER_LABELS_", strings.Join(others, ":")).
		Replace(Write(d, name))
}

// Nodes returns a Write statement for the nodes of one label.
func Nodes(d Dialect, name string, l graph.Label) string {
	return strings.NewReplacer("_LABEL_", string(l), "_KEY_", keyProperty(l)).Replace(Write(d, name))
}

// Position is the label of the nodes that say how far a journal's session is in the
// graph. They are no part of it.
const Position graph.Label = "JournalPosition"

func keyProperty(l graph.Label) string {
	if l == Position {
		return "position_id"
	}
	return graph.KeyProperty(l)
}

// EdgeKind is a type of relationship with the labels of its ends.
type EdgeKind struct {
	Type     graph.EdgeType
	From, To graph.Label
}

// EdgeKinds lists the kinds of relationship that there are.
func EdgeKinds() []EdgeKind {
	return []EdgeKind{
		{graph.HasAction, graph.LabelSession, graph.LabelAction},
		{graph.HasAction, graph.LabelAgent, graph.LabelAction},
		{graph.HasAgent, graph.LabelSession, graph.LabelAgent},
		{graph.FollowedBy, graph.LabelAction, graph.LabelAction},
		{graph.ParentOf, graph.LabelAction, graph.LabelAction},
		{graph.Spawned, graph.LabelAction, graph.LabelAgent},
		{graph.UsedTool, graph.LabelAction, graph.LabelTool},
		{graph.RelatedTo, graph.LabelAction, graph.LabelAction},
		{graph.HasTag, graph.LabelSession, graph.LabelTag},
		{graph.HasTag, graph.LabelAction, graph.LabelTag},
		{graph.ForkedFrom, graph.LabelSession, graph.LabelSession},
		{graph.Continues, graph.LabelSession, graph.LabelSession},
		{graph.Read, graph.LabelAction, graph.LabelFile},
		{graph.Wrote, graph.LabelAction, graph.LabelFile},
	}
}

// Edges returns a Write statement for relationships of one kind.
func Edges(d Dialect, name string, k EdgeKind) string { return k.fill(Write(d, name)) }

// Loads returns a Read statement for relationships of one kind.
func Loads(d Dialect, name string, k EdgeKind) string { return k.fill(Read(d, name)) }

func (k EdgeKind) fill(stmt string) string {
	return strings.NewReplacer("_TYPE_", string(k.Type),
		"_FROM_KEY_", graph.KeyProperty(k.From), "_FROM_STUB_", stub("a", k.From), "_FROM_", string(k.From),
		"_TO_KEY_", graph.KeyProperty(k.To), "_TO_STUB_", stub("b", k.To), "_TO_", string(k.To)).Replace(stmt)
}

// stub marks a new node as one that is only an end. Those that belong to a session are
// found, and dropped, by it.
func stub(variable string, l graph.Label) string {
	set := variable + ".stub = true"
	if l == graph.LabelAction || l == graph.LabelAgent {
		set += ", " + variable + ".session_id = row.session"
	}
	return set
}

// statement reads the file of a dialect, or the one that all share.
func statement(d Dialect, dir, name string) string {
	own := dir + "/" + name + "." + string(d) + ".cypher"
	if _, err := fs.Stat(files, own); err == nil {
		return mustRead(own)
	}
	return mustRead(dir + "/" + name + ".cypher")
}

// mustRead returns a file without its comments, which only people read.
func mustRead(path string) string {
	b, err := files.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("cypher: %v", err))
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			out.WriteString(line)
		}
	}
	return strings.TrimSpace(out.String())
}

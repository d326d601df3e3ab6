package graph

import "github.com/actiongraph/actiongraph/schema"

// OpKind orders the ops of a batch: within one batch a store applies removals
// first.
type OpKind uint8

// The op kinds, in the order in which a coalesced batch is applied.
const (
	DelEdge OpKind = iota + 1 // absent: no-op
	DelNode                   // with whatever edges are left on it; absent: no-op
	PutNode                   // creates or updates; Props are registers, nil removes one
	PutEdge                   // both ends exist by then; Props likewise
)

// Op is one keyed write. Node is set by DelNode and PutNode, Edge by the others.
type Op struct {
	Kind OpKind
	Node Node
	Edge Edge
}

// Batch is the ops of one session from one place of its journal to the next. A
// store applies all batches of one call in one transaction, with their positions.
type Batch struct {
	Journal string // the journal's id
	Session string
	From    schema.Position // what the store must hold now, else it refuses
	To      schema.Position
	// Reset asks the store to drop the session (its Session node to a stub while
	// another session points at it, its Actions, Agents and edges) before Ops: the
	// journal file no longer continues what was folded.
	Reset bool
	// Forget asks the store, beside Reset, to keep no position of the session: the journal has
	// nothing of it, for good. Of the session goes what this journal owns, whatever Continues
	// says; the shared nodes (Tool, Tag, File) that nothing refers to any more go when the store
	// is compacted (connector.Compactor). To is zero and Ops is empty.
	Forget bool
	// Continues says that another journal owns the session in this store: the ops are
	// those of NewContinuation.
	Continues bool
	// Absorbs are the records of this session in other journals that were imported into
	// this one. What such a journal put into the store for the session goes, if that is
	// no more than what was imported: its continuation, or, if it owned the session and
	// this batch does not continue it, the session itself, which this journal owns from
	// then on. Its position stays, as Standing.Absorbed.
	Absorbs []Imported
	Ops     []Op // coalesced: at most one op a key and kind, sorted by kind
}

// Own returns the key of the Session node that the batch's fold fills.
func (b *Batch) Own() string {
	if b.Continues {
		return ContinuationID(b.Session, b.Journal)
	}
	return b.Session
}

// Imported is a journal's record of a session, up to an offset of its file, that is in
// another journal too.
type Imported struct {
	Journal string
	Offset  int64
}

// Standing is how a store holds a journal's record of a session, where that is not the
// session itself.
type Standing struct {
	// Continues: another journal owns the session, this one's record is a continuation.
	Continues bool
	// Absorbed: the record is in another journal's up to this offset, and the store has
	// none of it. Until the file goes beyond, batches without Ops move the position;
	// then the record is put again from its beginning, with Reset.
	Absorbed int64
}

// ContinuationID is the session_id of what a journal records of a session that
// another journal owns in the same store: a session resumed on a second machine. No
// session has such an id itself (schema.SafeID).
func ContinuationID(session, journal string) string {
	return session + "~" + journal[:min(8, len(journal))]
}

// Coalesce merges ops that are in order into at most one an entity and kind, sorted
// by kind: what a store can execute in bulk. Later registers win; a node or edge
// that is deleted last is only deleted. Nothing is written to ops. What is of no known kind
// comes last as it is, for the store to refuse.
func Coalesce(ops []Op) []Op {
	var c changes
	var unknown []Op
	for i := range ops {
		switch n, e := &ops[i].Node, &ops[i].Edge; ops[i].Kind {
		case PutNode:
			c.putNode(c.name(n.Ref), n.Type, n.Props)
		case DelNode:
			c.delNode(c.name(n.Ref), n.Type)
		case PutEdge:
			c.putEdge(e.Type, c.name(e.From), c.name(e.To), e.Props)
		case DelEdge:
			c.delEdge(e.Type, c.name(e.From), c.name(e.To))
		default:
			unknown = append(unknown, ops[i])
		}
	}
	return append(c.take(nil), unknown...)
}

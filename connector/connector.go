// Package connector keeps stores in step with the journal: a Store holds a
// projection of it, a Replica is one store's cursor over it.
package connector

import (
	"context"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Store holds a graph, and for each (journal, session) the position up to which it
// was folded. All methods are safe for use by one writer and any number of readers.
type Store interface {
	// Positions returns the position of every session of one journal.
	Positions(ctx context.Context, journal string) (map[string]schema.Position, error)
	// Apply writes all batches, positions included, in one transaction: all or
	// nothing. Applying ops that are already there changes nothing.
	Apply(ctx context.Context, batches []graph.Batch) error
	// Load returns what the store holds of one session: its Session, Action and
	// Agent nodes, the shared nodes that these point at, and all their edges. It is
	// empty if the store does not know the session.
	Load(ctx context.Context, session string) (*graph.Graph, error)
	Close() error
}

// Shared is a Store that several journals write. A session belongs to the journal that
// wrote it first; what another one records of it is a session of its own that
// CONTINUES it (graph.ContinuationID). Apply answers a *graph.OwnedError until the
// batches say so, and ErrConflict to a batch that does not fit its Standing.
type Shared interface {
	// Standings returns how the store holds those of a journal's sessions that are not
	// simply its own there.
	Standings(ctx context.Context, journal string) (map[string]graph.Standing, error)
}

// Streamer is a Store that hands over what Load returns without holding it: Verify asks it,
// as a long session's graph takes gigabytes.
type Streamer interface {
	// Stream puts the nodes and edges that Load returns, as PutNode and PutEdge, in any
	// order and perhaps more than once. It asks begin for put before the first, and again
	// where it begins anew: what was put before that is void. put keeps nothing of an op. An
	// error of it ends the stream and is returned.
	Stream(ctx context.Context, session string, begin func() (put func(*graph.Op) error)) error
}

// Checker is a Store that holds things beside a session's graph that may be damaged while
// Load's answer is right: Verify reports them, too.
type Checker interface {
	Check(ctx context.Context, session string) ([]graph.Change, error)
}

// Maintainer is a Store that has work better done while nothing arrives. Maintain
// does it in small steps and stops, without error, when ctx ends. An error that
// wraps graph.ErrConflict says that the store is not the one it was (somebody deleted
// it), one with a method Reason that it does not answer: the replica starts over. Any
// other is of that work alone.
type Maintainer interface {
	Maintain(ctx context.Context) error
}

// Compactor is a Store that has something left of what was taken out of it: nodes that were
// there only for that, bytes in its files. Compact removes them: afterwards nothing of what
// was forgotten is in either. It is done again without harm, and where nothing was forgotten
// it writes nothing. An error leaves the store as it was, in full use.
type Compactor interface {
	Compact(ctx context.Context) error
}

// Witness is a Store that keeps a copy of the end of a journal's log of seals (package seal): the
// one copy that whoever edits the files of a home does not have.
type Witness interface {
	// SealHead returns what KeepSealHead was given last; the zero one if nothing was.
	SealHead(ctx context.Context, journal string) (schema.SealHead, error)
	// KeepSealHead keeps a head whose number is greater than the one that is kept, else nothing.
	KeepSealHead(ctx context.Context, journal string, head schema.SealHead) error
}

// Successor is a Store that may have taken the place of one of an earlier layout, which it
// keeps until nobody needs it. DropOlder removes those of whose sessions done says so.
type Successor interface {
	DropOlder(done func(sessions []string) bool) error
}

// Reader answers questions. Every implementation gives the same answers.
type Reader interface {
	Sessions(ctx context.Context, f graph.SessionFilter) ([]graph.SessionRow, error)
	Actions(ctx context.Context, f graph.ActionFilter) ([]graph.ActionRow, error)
	// Action returns one action with its content, or an error that wraps
	// graph.ErrNotFound.
	Action(ctx context.Context, id string) (graph.ActionRow, error)
	Agents(ctx context.Context, session string) ([]graph.AgentRow, error)
	// Tools returns the use of every tool, most used first; session "" is all.
	Tools(ctx context.Context, session string) ([]graph.ToolStats, error)
	Summary(ctx context.Context, session string) (graph.Summary, error)
	// Profile returns how long the calls of each tool took, most used first.
	Profile(ctx context.Context, f graph.ProfileFilter) ([]graph.ToolProfile, error)
	Search(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error)
	// Files returns the files that sessions read and wrote, most touched first.
	Files(ctx context.Context, f graph.FileFilter) ([]graph.FileRow, error)
	// Usage adds up model calls: tokens, and cost where it is stated.
	Usage(ctx context.Context, f graph.UsageFilter) ([]graph.UsageRow, error)
	Load(ctx context.Context, session string) (*graph.Graph, error)
}

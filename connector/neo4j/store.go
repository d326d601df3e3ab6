// Package neo4j keeps the graph in Neo4j or Memgraph, over Bolt.
//
// The graph is the one that package graph describes: labels, keys and properties as
// they are there, made for people who write Cypher. What the store adds for itself:
//
//   - stub: true on a node that is there only because an edge ends at it. Readers do
//     not see such nodes.
//   - search on an Action: its words, for the full-text index action_search.
//   - owner on a Session: the id of the journal that it belongs to.
//   - actiongraph: true on a Tool, Tag or File, which tells it from other people's.
//   - timestamp_ms beside timestamp: the same in milliseconds, for arithmetic.
//   - JournalPosition nodes: how far each journal's session is in the graph.
//
// A Store connects when it is first used and again when it has to: opening one never
// fails because the database is down. All writes of one Apply are one transaction.
package neo4j

import (
	"cmp"
	"context"
	"sync"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/cypher"
)

// Options says which database, and how.
type Options struct {
	// URL has the scheme bolt, bolt+s, bolt+ssc, neo4j, neo4j+s or neo4j+ssc: +s is TLS,
	// +ssc TLS without a look at the certificate, neo4j asks the server which member of
	// its cluster to write to. It carries no user and no password.
	URL            string
	User, Password string // of basic authentication; an empty User is none
	Database       string // "" is the user's home database
	UserAgent      string // what the server lists the connection as; "" is the driver's
	ReadOnly       bool   // Apply, Setup, Drop and Clear fail
	// CheckEvery is how often Maintain asks whether the database still is what it was: a minute.
	CheckEvery time.Duration
	Log        zerolog.Logger
}

// Store is a graph in a database. It implements connector.Store, connector.Reader,
// connector.Shared and connector.Maintainer.
type Store struct {
	opts   Options
	driver driver.DriverWithContext

	mu     sync.Mutex // guards what follows
	info   *Info      // of the server, once it has been asked
	closed bool

	writing chan struct{} // one Apply at a time: see lock
	ready   *Info         // the server that has the schema: guarded by writing
	seen    known         // what the database must still hold: guarded by writing
	checked time.Time     // when that was last looked at
	every   time.Duration

	dropAtOnce int
}

// Info is what the server says it is.
type Info struct {
	Dialect cypher.Dialect
	Product string // "Neo4j" or "Memgraph"
	Version string // "5.26.10"
	Edition string // "community", "enterprise"; "" where it is not said
}

// Open checks the options and returns a Store that has not connected yet.
func Open(_ context.Context, o Options) (*Store, error) {
	if err := checkURL(o.URL); err != nil {
		return nil, err
	}
	d, err := newDriver(o)
	if err != nil {
		return nil, fail(o, "open", err)
	}
	return &Store{opts: o, driver: d, writing: make(chan struct{}, 1), seen: known{}, every: cmp.Or(o.CheckEvery, checkEvery), dropAtOnce: dropAtOnce}, nil
}

// Info returns what the server says it is, asking it when that is not known.
func (s *Store) Info(ctx context.Context) (Info, error) {
	info, err := s.connect(ctx)
	if err != nil {
		return Info{}, s.fail("connect", err)
	}
	return *info, nil
}

// lock waits until no other call writes, or for the end of ctx: a call that hangs must
// not hold others longer than their deadline.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) unlock() { <-s.writing }

// Close closes all connections. Closing twice is fine.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	// A server that hangs must not hold up the end of a daemon.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.driver.Close(ctx)
}

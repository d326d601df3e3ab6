package neo4j

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"

	"github.com/actiongraph/actiongraph/cypher"
)

// How long things may take. A replica waits longer between its own attempts; what is
// bounded here is how long one attempt may be silent.
const (
	connectTimeout = 5 * time.Second
	acquireTimeout = 10 * time.Second
	// retryTime bounds the driver's own attempts at a transaction that lost a deadlock
	// or its leader.
	retryTime   = 8 * time.Second
	connections = 8 // one writes; a reading verb asks little at once
)

var schemes = []string{"bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"}

// checkURL refuses what the driver would refuse later, and a password that would be in
// `ps` and in logs.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		// The error of url.Parse repeats the URL, which may hold a password.
		return errors.New("graph url: it cannot be parsed; want bolt://host:7687")
	}
	switch {
	case u.User != nil:
		return errors.New("graph url: it must not hold a user or password: put them into the config file or the environment")
	case !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf("graph url %s: scheme %q is none of %s", raw, u.Scheme, strings.Join(schemes, ", "))
	case u.Hostname() == "":
		return fmt.Errorf("graph url %s: it names no host; want %s://host:7687", raw, u.Scheme)
	case !validPort(u.Port()):
		return fmt.Errorf("graph url %s: port %s is none: want 1 to 65535, and Bolt's is 7687 unless it was changed", raw, u.Port())
	case u.Path != "" && u.Path != "/":
		return fmt.Errorf("graph url %s: a path is not used; the database has an option of its own", raw)
	}
	return nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

func newDriver(o Options) (driver.DriverWithContext, error) {
	auth := driver.NoAuth()
	if o.User != "" || o.Password != "" {
		auth = driver.BasicAuth(o.User, o.Password, "")
	}
	return driver.NewDriverWithContext(o.URL, auth, func(c *config.Config) {
		c.MaxConnectionPoolSize = connections
		c.SocketConnectTimeout = connectTimeout
		c.ConnectionAcquisitionTimeout = acquireTimeout
		c.MaxTransactionRetryTime = retryTime
		c.SocketKeepalive = true
		c.TelemetryDisabled = true
		if o.UserAgent != "" {
			c.UserAgent = o.UserAgent
		}
	})
}

var errClosed = errors.New("the store is closed")

// connect returns what the server is, asking it where that is not known: after the
// first connection, and after one was lost, since another server may answer then.
func (s *Store) connect(ctx context.Context) (*Info, error) {
	s.mu.Lock()
	info, closed := s.info, s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if info != nil {
		return info, nil
	}
	info, err := s.detect(ctx)
	if err != nil {
		return nil, ended(ctx, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = info
	return info, nil
}

// lost forgets what is known of the server when an error says that it is gone.
func (s *Store) lost(err error) {
	if err == nil || !isLost(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.info = nil
}

func (s *Store) session(ctx context.Context, mode driver.AccessMode) driver.SessionWithContext {
	return s.driver.NewSession(ctx, driver.SessionConfig{AccessMode: mode, DatabaseName: s.opts.Database})
}

// readAll runs f in a managed read transaction. f may be called again after an error
// that passes.
func (s *Store) readAll(ctx context.Context, f work) ([]*driver.Record, error) {
	return s.run(ctx, driver.AccessModeRead, f)
}

// work is what one managed transaction does.
type work = driver.ManagedTransactionWorkT[[]*driver.Record]

// run runs f in a managed transaction: the driver calls it again after an error that
// passes, as long as retryTime.
func (s *Store) run(ctx context.Context, mode driver.AccessMode, f work) ([]*driver.Record, error) {
	info, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	session := s.session(ctx, mode)
	defer session.Close(ctx)
	for attempt := 1; ; attempt++ {
		var records []*driver.Record
		if mode == driver.AccessModeRead {
			records, err = driver.ExecuteRead(ctx, session, f)
		} else {
			records, err = driver.ExecuteWrite(ctx, session, f)
		}
		s.lost(err)
		again := errors.Is(err, errVanished) || info.Dialect == cypher.Memgraph && isMemgraphConflict(err)
		if !again || attempt == memgraphAttempts {
			return records, ended(ctx, err)
		}
		if err := sleep(ctx, time.Duration(attempt)*50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// leader is the access mode that reads what was written last. Other members of a cluster
// may lag behind: a replica would fold again what is there already.
func (s *Store) leader() driver.AccessMode {
	if s.opts.ReadOnly {
		return driver.AccessModeRead
	}
	return driver.AccessModeWrite
}

// collect runs one statement and reads all its records.
func collect(ctx context.Context, tx driver.ManagedTransaction, stmt string, params map[string]any) ([]*driver.Record, error) {
	result, err := tx.Run(ctx, stmt, params)
	if err != nil {
		return nil, err
	}
	return result.Collect(ctx)
}

// sleep waits, or returns the error of a context that ended.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

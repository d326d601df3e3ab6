package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/graph"
)

var errReadOnly = errors.New("the store was opened read-only")

func (s *Store) fail(doing string, err error) error { return fail(s.opts.URL, doing, err) }

// fail wraps an error with the database's URL, which holds no password, and what to do.
func fail(url, doing string, err error) error {
	var owned *graph.OwnedError
	if err == nil || errors.As(err, &owned) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("graph %s: %s: %w", url, doing, err)
	}
	if cure := cure(err); cure != "" {
		return fmt.Errorf("graph %s: %s: %w: %s", url, doing, err, cure)
	}
	return fmt.Errorf("graph %s: %s: %w", url, doing, err)
}

// isRefused reports an error of what a transaction wrote: somebody's own constraint that it
// breaks, more than the server has memory for. The server is well, and takes others.
func isRefused(err error) bool {
	var gaveUp *driver.TransactionExecutionLimit
	if errors.As(err, &gaveUp) && len(gaveUp.Errors) > 0 {
		err = gaveUp.Errors[len(gaveUp.Errors)-1]
	}
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) {
		return false
	}
	for _, code := range []string{"Neo.ClientError.Schema.", "Neo.ClientError.Statement.", "Neo.DatabaseError.Statement.", "Memgraph.ClientError.MemgraphError"} {
		if strings.HasPrefix(refused.Code, code) {
			return true
		}
	}
	return strings.HasSuffix(refused.Code, "OutOfMemoryError")
}

// cure says what to do about an error of the server or the network.
func cure(err error) string {
	var gaveUp *driver.TransactionExecutionLimit
	if errors.As(err, &gaveUp) && len(gaveUp.Errors) > 0 {
		return cure(gaveUp.Errors[len(gaveUp.Errors)-1])
	}
	var refused *driver.Neo4jError
	if !errors.As(err, &refused) {
		text := err.Error()
		switch {
		case strings.Contains(text, "x509") || strings.Contains(text, "tls:"):
			return "the TLS handshake failed: bolt+s wants a certificate that this machine trusts, bolt+ssc takes any, bolt none"
		case strings.Contains(text, "server responded HTTP"):
			return "this is the port of the browser: Bolt's is 7687 unless it was changed"
		case driver.IsConnectivityError(err):
			return "is the database running, and does it want TLS (bolt+s)?"
		}
		return ""
	}
	title := refused.Code[strings.LastIndexByte(refused.Code, '.')+1:]
	switch title {
	case "Unauthorized", "Unauthenticated":
		return "user or password is wrong"
	case "AuthenticationRateLimit":
		return "too many wrong passwords: the server refuses this user for a while"
	case "CredentialsExpired":
		return "the password must be changed first, with cypher-shell or in the Browser"
	case "Forbidden":
		return "the user lacks the right to do this"
	case "DatabaseNotFound":
		return "there is no such database: create it, or name another"
	case "NotALeader", "ForbiddenOnReadOnlyDatabase", "WriteOnReadOnlyAccessDbDatabase":
		return "this member of the cluster takes no writes: use neo4j:// instead of bolt://, or make the database writable"
	case "DatabaseUnavailable":
		return "the database is stopped or starting"
	case "TransactionLogError", "OutOfDiskSpace":
		return "the server cannot write: is its disk full?"
	}
	switch text := strings.ToLower(refused.Msg); {
	case strings.Contains(text, "no space left"):
		return "the server's disk is full"
	case strings.HasPrefix(refused.Code, "Memgraph.") && strings.Contains(text, "routing table"), strings.Contains(text, "route message is not supported"):
		return "this Memgraph is no coordinator of a cluster: use bolt:// instead of neo4j://"
	}
	return ""
}

// ended says that a context ended where that is why something failed: the driver's own
// errors hide it, and a deadline may reach a socket before it reaches the context.
func ended(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if why := ctx.Err(); why != nil {
		return fmt.Errorf("%w: %w", why, err)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
	}
	return err
}

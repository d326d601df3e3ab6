package neo4j

import (
	"errors"
	"net"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/graph"
)

// What the errors' Reason says.
const (
	reasonFailed      = "store.failed" // none of the others: the text says what
	reasonConflict    = "store.conflict"
	reasonTimeout     = "store.timeout"
	reasonUnreachable = "store.unreachable"
	reasonTLS         = "store.tls"
	reasonPort        = "store.port"
	reasonLogin       = "store.login" // each further try may lock the account
	reasonExpired     = "store.password_expired"
	reasonForbidden   = "store.forbidden"
	reasonNoDatabase  = "store.no_database"
	reasonNoIndex     = "store.no_index"
	reasonReadOnly    = "store.read_only"
	reasonStopped     = "store.stopped"
	reasonFull        = "store.full"
	reasonVersion     = "store.version"
	reasonDuplicates  = "store.duplicates"
	reasonRouting     = "store.no_cluster"
)

// unsupportedError is a server that the statements were not written for.
type unsupportedError string

func (e unsupportedError) Error() string { return string(e) }

// diagnose says what is wrong, and what to do about it where that is known.
func diagnose(err error, o Options) (reason, cure string) {
	last := lastTry(err)
	var refused *driver.Neo4jError
	var unsupported unsupportedError
	var duplicate *duplicateError
	switch {
	case errors.Is(err, graph.ErrConflict):
		return reasonConflict, ""
	case errors.As(err, &unsupported):
		return reasonVersion, ""
	case errors.As(err, &duplicate):
		return reasonDuplicates, duplicate.cure()
	case errors.As(last, &refused):
		return diagnoseServer(refused, o)
	case isTimeout(last):
		return reasonTimeout, "is the database running, and reachable from here?"
	}
	return diagnoseNetwork(err, last.Error(), o)
}

// diagnoseNetwork is diagnose for what no server said.
func diagnoseNetwork(err error, text string, o Options) (reason, cure string) {
	scheme, _, _ := strings.Cut(o.URL, "://")
	base, tls, _ := strings.Cut(scheme, "+")
	var unknown *net.DNSError
	switch {
	case strings.Contains(text, "check that TLS is enabled on the server"):
		return reasonTLS, "the server takes no TLS there: " + base + ":// is without"
	case strings.Contains(text, "x509"), strings.Contains(text, "tls:"):
		return reasonTLS, "the TLS handshake failed: " + base + "+s wants a certificate that this machine trusts, " + base + "+ssc takes any, " + base + " none"
	case strings.Contains(text, "server responded HTTP"):
		return reasonPort, "this is the port of the browser: Bolt's is 7687 unless it was changed"
	case errors.As(err, &unknown), strings.Contains(text, "no such host"):
		return reasonUnreachable, "is the host in the URL spelled right?"
	case strings.Contains(text, "connection refused"):
		return reasonUnreachable, "is the database running, and does it listen there?"
	case isLost(err) && tls == "":
		return reasonUnreachable, "is the database running, and does it want TLS (" + base + "+s)?"
	case isLost(err):
		return reasonUnreachable, "is the database running?"
	}
	return reasonFailed, ""
}

const loginKeys = "set AG_GRAPH_PASSWORD, or password, password_file or password_env of its [[graph]] in config.toml"

// diagnoseServer is diagnose for what the server answers.
func diagnoseServer(refused *driver.Neo4jError, o Options) (reason, cure string) {
	switch refused.Code[strings.LastIndexByte(refused.Code, '.')+1:] {
	case "Unauthorized", "Unauthenticated":
		if o.Password == "" {
			return reasonLogin, "no password was given: " + loginKeys
		}
		return reasonLogin, "user or password is wrong: " + loginKeys
	case "AuthenticationRateLimit":
		return reasonLogin, "user or password is wrong, and the server now refuses this user for a while: " + loginKeys
	case "CredentialsExpired":
		return reasonExpired, "the password must be changed first, with cypher-shell or in the Browser"
	case "Forbidden":
		return reasonForbidden, "the user lacks the right to do this"
	case "DatabaseNotFound":
		return reasonNoDatabase, "there is no such database: create it, or name another"
	case "NotALeader", "ForbiddenOnReadOnlyDatabase", "WriteOnReadOnlyAccessDbDatabase":
		return reasonReadOnly, "this member of the cluster takes no writes: use neo4j:// instead of bolt://, or make the database writable"
	case "DatabaseUnavailable":
		return reasonStopped, "the database is stopped or starting"
	case "TransactionLogError", "OutOfDiskSpace":
		return reasonFull, "the server cannot write: is its disk full?"
	}
	switch text := strings.ToLower(refused.Msg); {
	case strings.Contains(text, "no space left"):
		return reasonFull, "the server's disk is full"
	case isNoIndex(refused):
		return reasonNoIndex, "the database has no full-text index: ag-sessiond graph-schema setup --graph " + o.URL
	case strings.HasPrefix(refused.Code, "Memgraph.") && strings.Contains(text, "routing table"), strings.Contains(text, "route message is not supported"):
		return reasonRouting, "this Memgraph is no coordinator of a cluster: use bolt:// instead of neo4j://"
	}
	return reasonFailed, ""
}

// isNoIndex reports that a search's index is not there: nobody wrote into this database
// yet, or somebody dropped its schema.
func isNoIndex(err error) bool {
	var refused *driver.Neo4jError
	if !errors.As(lastTry(err), &refused) {
		return false
	}
	text := strings.ToLower(refused.Msg)
	return strings.Contains(text, "no such fulltext schema index") ||
		strings.Contains(text, "text index") && (strings.Contains(text, "doesn't exist") || strings.Contains(text, "does not exist"))
}

package neo4j

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/actiongraph/actiongraph/cypher"
)

// What the statements need.
const (
	minNeo4j = "5.0" // CREATE CONSTRAINT … FOR … REQUIRE
	// Memgraph 3.6 is the first whose text index is not experimental and names the
	// properties that it holds (CREATE TEXT INDEX n ON :Label(property)).
	minMemgraph = "3.6"
)

// detect asks the server what it is.
func (s *Store) detect(ctx context.Context) (*Info, error) {
	session := s.session(ctx, driver.AccessModeRead)
	defer session.Close(ctx)
	info, err := components(ctx, session)
	if err != nil {
		return nil, err
	}
	return info, supported(info)
}

// components asks for name and version. Which of the two questions a server knows says
// what it is: the Bolt handshake of a Memgraph claims to be a Neo4j unless its flag
// --bolt-server-name-for-init says otherwise.
func components(ctx context.Context, session driver.SessionWithContext) (*Info, error) {
	records, err := ask(ctx, session, cypher.Read(cypher.Neo4j, "server"))
	var refused *driver.Neo4jError
	if errors.As(err, &refused) && strings.HasSuffix(refused.Code, "ProcedureNotFound") || unknownToMemgraph(refused) {
		records, err = ask(ctx, session, cypher.Read(cypher.Memgraph, "server"))
		if err != nil || len(records) == 0 {
			return nil, fmt.Errorf("the server is neither Neo4j nor Memgraph: %w", err)
		}
		version, _ := records[0].Values[0].(string)
		return &Info{Dialect: cypher.Memgraph, Product: "Memgraph", Version: version}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, errors.New("the server does not say what it is (CALL dbms.components() is empty)")
	}
	return parseComponents(records[0].AsMap()), nil
}

// unknownToMemgraph: it reports any error of a statement as
// Memgraph.ClientError.MemgraphError.MemgraphError.
func unknownToMemgraph(err *driver.Neo4jError) bool {
	return err != nil && strings.HasPrefix(err.Code, "Memgraph.")
}

// ask runs a statement on its own, as some are refused inside a transaction.
func ask(ctx context.Context, session driver.SessionWithContext, stmt string) ([]*driver.Record, error) {
	result, err := session.Run(ctx, stmt, nil)
	if err != nil {
		return nil, err
	}
	return result.Collect(ctx)
}

// parseComponents reads a row of dbms.components(). Memgraph answers it too where its
// --query-callable-mappings-path maps it to mgps.components().
func parseComponents(row map[string]any) *Info {
	name, _ := row["name"].(string)
	info := &Info{Dialect: cypher.Neo4j, Product: name}
	if versions, _ := row["versions"].([]any); len(versions) > 0 {
		info.Version, _ = versions[0].(string)
	}
	info.Edition, _ = row["edition"].(string)
	switch {
	case strings.Contains(strings.ToLower(name), "memgraph"):
		info.Dialect, info.Product = cypher.Memgraph, "Memgraph"
	case name == "Neo4j Kernel":
		info.Product = "Neo4j"
	}
	return info
}

// supported refuses a server that the statements were not written for.
func supported(info *Info) error {
	least := minNeo4j
	switch info.Product {
	case "Neo4j":
	case "Memgraph":
		least = minMemgraph
	default:
		return fmt.Errorf("the server is %q %s: only Neo4j and Memgraph are supported", info.Product, info.Version)
	}
	is, ok := parseVersion(info.Version)
	if want, _ := parseVersion(least); !ok || is[0] < want[0] || is[0] == want[0] && is[1] < want[1] {
		return fmt.Errorf("%s %s is not supported: it takes %s %s or later", info.Product, info.Version, info.Product, least)
	}
	return nil
}

// parseVersion reads "5.26.10", "2025.01.0", "5.27-aura" and "3.10.0+5~abc".
func parseVersion(v string) (out [2]int, ok bool) {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) < 2 {
		return out, false
	}
	for i := range out {
		digits := parts[i]
		if n := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); n >= 0 {
			digits = digits[:n]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return out, false
		}
		out[i] = n
	}
	return out, true
}

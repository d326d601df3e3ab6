package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/actiongraph/actiongraph/graph"
)

// someSessions is a store that holds sessions of these ids.
type someSessions struct {
	nothing
	ids []string
}

func (s someSessions) Sessions(_ context.Context, f graph.SessionFilter) (rows []graph.SessionRow, err error) {
	for _, id := range s.ids {
		if strings.HasPrefix(id, f.IDPrefix) && (f.Limit == 0 || len(rows) < f.Limit) {
			rows = append(rows, graph.SessionRow{SessionID: id})
		}
	}
	return rows, nil
}

const (
	whole = "117f6eaf-0cdc-4fce-8d82-e5bab5e26ee8"
	twin  = "117f6eaf-ffff-4fce-8d82-e5bab5e26ee8"
)

// Who asks for a session means it, and not what another machine recorded of it.
func TestSessionAndItsParts(t *testing.T) {
	for _, tc := range []struct {
		name string
		ids  []string
		arg  string
		want string // or what the error begins with
	}{
		{"itself before its part", []string{whole + "~c64aaba8", whole}, "117f6eaf", whole},
		{"itself before many", []string{whole + "~c64aaba8", whole, whole + "~00000000"}, "1", whole},
		{"its whole id", []string{whole + "~c64aaba8", whole}, whole, whole},
		{"a part as it is printed", []string{whole, whole + "~c64aaba8", whole + "~00000000"}, "117f6eaf~c64aaba8", whole + "~c64aaba8"},
		{"the beginning of both halves", []string{whole, whole + "~c64aaba8"}, "117f~c6", whole + "~c64aaba8"},
		{"a part alone", []string{whole + "~c64aaba8"}, "117f", whole + "~c64aaba8"},
		{"two parts", []string{whole, whole + "~c64aaba8", whole + "~c0000000"}, "117f~c", `"117f~c" is the beginning of 2 session ids`},
		{"two parts without the session", []string{whole + "~c64aaba8", whole + "~00000000"}, "117f", `"117f" is the beginning of 2 session ids`},
		{"another session beside the part", []string{whole, whole + "~c64aaba8", twin}, "117f", `"117f" is the beginning of 3 session ids`},
		{"no such part", []string{whole, whole + "~c64aaba8"}, "117f~d", `no session "117f~d"`},
		{"a part of nothing", []string{whole + "~c64aaba8"}, "~c64", `no session "~c64"`},
		{"none at all", nil, "latest", "there is no session yet: begin"},
	} {
		s, err := session(context.Background(), someSessions{ids: tc.ids}, tc.arg, "begin")
		if err != nil {
			s.SessionID = err.Error()
		}
		if s.SessionID != tc.want && (err == nil || !strings.HasPrefix(s.SessionID, tc.want)) {
			t.Errorf("%s: %q is %s, want %s", tc.name, tc.arg, s.SessionID, tc.want)
		}
	}
}

// What a table shows must name its row again, and nothing else.
func TestShortIDs(t *testing.T) {
	for _, tc := range []struct{ ids, want []string }{
		{nil, []string{}},
		{[]string{whole, whole + "~c64aaba8"}, []string{"117f6eaf", "117f6eaf~c64aaba8"}},
		{[]string{whole + "~c64aaba8", whole + "~c64aaba9"}, []string{"117f6eaf~c64aaba8", "117f6eaf~c64aaba9"}},
		{[]string{whole, twin, twin + "~c64aaba8"}, []string{"117f6eaf-0", "117f6eaf-f", "117f6eaf-f~c64aaba8"}},
		{[]string{"ledger", "ledger-two", "ledger-twenty"}, []string{"ledger", "ledger-two", "ledger-twe"}},
		{[]string{"a", "a", "ab"}, []string{"a", "a", "ab"}},
	} {
		got := shortIDs(slices.Clone(tc.ids))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.ids, diff)
		}
		for i, short := range got {
			if s, err := session(context.Background(), someSessions{ids: tc.ids}, short, ""); err != nil || s.SessionID != tc.ids[i] {
				t.Errorf("%q: %s is printed, and names %q: %v", tc.ids, short, s.SessionID, err)
			}
		}
	}
}

func TestAsksForPlan(t *testing.T) {
	for statement, want := range map[string]bool{
		"EXPLAIN MATCH (n) RETURN n":                                   true,
		"\n profile\nMATCH (n) RETURN n":                               true,
		"// one\n/* two\n */ // three\n explain RETURN 1":              true,
		"CYPHER 5 EXPLAIN RETURN 1":                                    true,
		"cypher runtime=slotted /* x */ planner=cost PROFILE RETURN 1": true,
		"MATCH (n:Explain) RETURN n":                                   false,
		"// EXPLAIN\nRETURN 1":                                         false,
		"CYPHER 5 RETURN 1 AS explain":                                 false,
		"CYPHER":                                                       false,
		"/* explain RETURN 1":                                          false,
		"":                                                             false,
	} {
		if got := asksForPlan(statement); got != want {
			t.Errorf("%q: %t, want %t", statement, got, want)
		}
	}
}

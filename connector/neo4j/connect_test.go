package neo4j

import (
	"context"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for url, refused := range map[string]string{
		"bolt://localhost:7687":               "",
		"bolt://[::1]:7687/":                  "",
		"neo4j+ssc://db.example.com":          "",
		"bolt+s://db.example.com":             "",
		"neo4j://me:secret@db.example.com":    "must not hold a user or password",
		"bolt://me@db.example.com":            "must not hold a user or password",
		"bolt://me:sec ret@db.example.com":    "cannot be parsed",
		"http://localhost:7474":               `scheme "http"`,
		"memgraph://localhost":                `scheme "memgraph"`,
		"bolt://localhost:99999":              "port 99999 is none",
		"bolt://localhost:0":                  "port 0 is none",
		"localhost:7687":                      `scheme "localhost"`,
		"bolt://":                             "no host",
		"bolt://localhost/neo4j":              "path",
		"neo4j://localhost?policy=europe":     "",
		"bolt://localhost:7687?policy=europe": "Routing context is not supported", // says the driver
	} {
		s, err := Open(context.Background(), Options{URL: url})
		if (err == nil) != (refused == "") || err != nil && (!strings.Contains(err.Error(), refused) || strings.Contains(err.Error(), "sec")) {
			t.Errorf("%s: %v, want %q", url, err, refused)
		}
		if err != nil {
			continue
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: close: %v", url, err)
			}
		}
		if _, err := s.Load(context.Background(), "s"); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: a closed store: %v", url, err)
		}
	}
}

package arch

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The compose files of deploy/ pin what they run, listen on loopback only, keep no
// password, and can tell whether a database is up.
func TestDeploy(t *testing.T) {
	files, err := filepath.Glob("../../deploy/*.compose.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range checkCompose(string(text)) {
			t.Errorf("%s: %s", filepath.Base(file), p)
		}
	}
}

// checkCompose reads a compose file line by line: a mapping a line, lists under their
// key, as ours are written. What is written otherwise is a problem, not overlooked.
func checkCompose(text string) (problems []string) {
	image := regexp.MustCompile(`^[a-z0-9./-]+:\d+\.\d+\.\d+(-[a-z0-9]+)?$`)
	port := regexp.MustCompile(`^"127\.0\.0\.1:\d+:\d+"$`)
	mapping := regexp.MustCompile(`^([A-Za-z0-9_-]+):(?: +(.*))?$`)
	secret := regexp.MustCompile(`(?i)auth|password|secret`)
	var path []string // the keys that a line is below of
	count := map[string]int{}
	for n, line := range strings.Split(text, "\n") {
		bad := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("line %d: %s", n+1, fmt.Sprintf(format, args...)))
		}
		line, _, _ = strings.Cut(line, " #")
		rest := strings.TrimLeft(line, " ")
		if strings.TrimSpace(rest) == "" || strings.HasPrefix(rest, "#") {
			continue
		}
		depth := (len(line) - len(rest)) / 2
		if item, ok := strings.CutPrefix(rest, "- "); ok && len(path) > 0 {
			if path[len(path)-1] == "ports" {
				count["ports"]++
				if !port.MatchString(item) {
					bad("port %s is not published on 127.0.0.1", item)
				}
			}
			continue
		}
		m := mapping.FindStringSubmatch(rest)
		if m == nil || (len(line)-len(rest))%2 != 0 || depth > len(path) {
			bad("%q is no mapping of two more spaces than its parent", line)
			continue
		}
		key, value := m[1], m[2]
		path = append(path[:depth], key)
		switch {
		case key == "image":
			count["images"]++
			if !image.MatchString(value) {
				bad("image %s is not pinned to a version", value)
			}
		case key == "healthcheck":
			count["healthchecks"]++
		case key == "ports" && value != "":
			bad("ports are a list, one a line")
		case key == "network_mode", key == "privileged", key == "pull_policy":
			bad("%s is more than a database needs", key)
		}
		if secret.MatchString(key) && !strings.Contains(value, ":?") {
			bad("%s takes no value from outside, or does without one", key)
		}
	}
	if count["images"] == 0 || count["ports"] < count["images"] || count["healthchecks"] == 0 {
		problems = append(problems, fmt.Sprintf("it has %v: every image has a port, and the database a healthcheck", count))
	}
	return problems
}

func TestDeployCheckerFails(t *testing.T) {
	const good = `services:
  db:
    image: neo4j:5.26.28-community
    environment:
      NEO4J_AUTH: "neo4j/${PASSWORD:?say one}"
    ports:
      - "127.0.0.1:7687:7687"
    healthcheck:
      test: ["CMD", "true"]
`
	if p := checkCompose(good); p != nil {
		t.Fatal(p)
	}
	for _, c := range []struct{ old, new, want string }{
		{"5.26.28-community", "latest", "line 3: image neo4j:latest is not pinned to a version"},
		{"5.26.28-community", "5.26", "line 3: image neo4j:5.26 is not pinned to a version"},
		{"neo4j:5.26.28-community", "neo4j", "line 3: image neo4j is not pinned to a version"},
		{"127.0.0.1:7687", "7687", `line 7: port "7687:7687" is not published on 127.0.0.1`},
		{"127.0.0.1", "0.0.0.0", `line 7: port "0.0.0.0:7687:7687" is not published on 127.0.0.1`},
		{":?say one", ":-neo4j", "line 5: NEO4J_AUTH takes no value from outside, or does without one"},
		{"neo4j/${PASSWORD:?say one}", "none", "line 5: NEO4J_AUTH takes no value from outside, or does without one"},
		{"    healthcheck:\n      test: [\"CMD\", \"true\"]\n", "", "it has map[images:1 ports:1]: every image has a port, and the database a healthcheck"},
		{"    image", "\timage", "line 3: \"\\timage: neo4j:5.26.28-community\" is no mapping of two more spaces than its parent"},
		{"    healthcheck", "    network_mode: host\n    healthcheck", "line 8: network_mode is more than a database needs"},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		if text == good {
			t.Fatalf("%q is not in the example", c.old)
		}
		problems := checkCompose(text)
		if len(problems) == 0 {
			t.Errorf("%q for %q is overlooked", c.new, c.old)
		} else if d := cmp.Diff(c.want, problems[0]); d != "" {
			t.Errorf("%q for %q:\n%s", c.new, c.old, d)
		}
	}
}

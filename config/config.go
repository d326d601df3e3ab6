// Package config reads <home>/config.toml: what a user may set, and nothing else.
// Each key is documented at its field, and shown in Example.
//
// Whatever is wrong in the file is an error that names the file, the line where the
// parser knows it, and the cure: a key that is quietly ignored is a setting that
// somebody believes in.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// FileName is the name of the file in a home.
const FileName = "config.toml"

// The environment variables that say who logs in to a graph database that is given by
// URL and is not in the file. One that is in the file uses only what the file says.
const (
	UserEnv     = "AG_GRAPH_USER"
	PasswordEnv = "AG_GRAPH_PASSWORD"
)

// defaultUser is whose password it is where only that is given: the first user of
// every Neo4j. A Memgraph without users takes any name.
const defaultUser = "neo4j"

// defaultPort is Bolt's: what every Neo4j and Memgraph listens on at first.
const defaultPort = "7687"

// Config is the whole file. Its zero value is a file without a key.
type Config struct {
	// Graph lists databases that the daemon keeps in step with the journal, beside the
	// embedded store.
	Graph []Graph `toml:"graph"`
	// Transcripts says what the daemon reads beside the journal.
	Transcripts Transcripts `toml:"transcripts"`
	// Source lists JSONL files of other programs that the daemon reads as they grow.
	Source []Source `toml:"source"`
	// API says where the daemon answers HTTP requests.
	API API `toml:"api"`
	// Capture says what of the agents' work is recorded, Redact what else is a secret.
	// CompilePolicy brings both into force.
	Capture Capture `toml:"capture"`
	Redact  Redact  `toml:"redact"`
	// Prices are what models cost, by name, for reports of usage.
	Prices map[string]Price `toml:"prices"`
}

// Graph is one [[graph]]: a Neo4j or a Memgraph. At most one of Password,
// PasswordFile and PasswordEnv is set.
type Graph struct {
	// URL is where it listens: bolt://host:7687, bolt+s:// with TLS, bolt+ssc:// with a
	// certificate that nobody signed, neo4j://, neo4j+s://, neo4j+ssc:// for a cluster.
	// It holds no user and no password: URLs end up in logs.
	URL string `toml:"url"`
	// Name is what --graph, status and the log call it; by default the host of the URL,
	// with its port where that is not 7687.
	Name string `toml:"name"`
	// User logs in; "neo4j" by default where there is a password. Without either there
	// is no login, as a Memgraph has it at first.
	User string `toml:"user"`
	// Password is the password itself; the file must then be readable by its owner alone.
	Password string `toml:"password"`
	// PasswordFile is a file whose first line is the password, relative to the home; it,
	// too, must be readable by its owner alone.
	PasswordFile string `toml:"password_file"`
	// PasswordEnv is the name of an environment variable that holds the password.
	PasswordEnv string `toml:"password_env"`
	// Database is the one to use of several in a server; its default one by default.
	Database string `toml:"database"`
}

// Example is a file with every key.
const Example = `# Each [[graph]] is a Neo4j or Memgraph that "ag-sessiond run" keeps in step.
[[graph]]
url      = "bolt://localhost:7687"  # or bolt+s bolt+ssc neo4j neo4j+s neo4j+ssc
name     = "team"                   # for --graph team; default: the host, and its port if not 7687
user     = "neo4j"                  # default: neo4j if there is a password, else no login
password = "secret"                 # one of these three; this one wants chmod 600
# password_file = "team.password"   #   its first line; relative to this folder; chmod 600
# password_env  = "TEAM_PASSWORD"   #   an environment variable
database = "neo4j"                  # default: the server's default database

# Which transcripts "ag-sessiond run" reads as they grow: those that hooks announce (the
# default), "all" below the folders where the runtime keeps them, or folders. []: none.
[transcripts]
follow = ["announced", "~/old/projects"]

# Each [[source]] is JSONL of other agents that "ag-sessiond run" reads as it grows.
[[source]]
path         = "~/agent/logs/*.jsonl"  # a file, folder or glob; relative to this folder
format       = "oms"                # or audit trace-events events; default: auto, by what is in it
namespace    = "research"           # of Action grains that name none; default: default
keep_unknown = true                 # keeps grains of other types; default: they are bad lines

# Where "ag-sessiond run" answers HTTP requests of this machine.
[api]
socket = "api.sock"                 # relative to this folder, this user's alone; "none": no socket
listen = "127.0.0.1:4009"           # loopback alone, with the token in api.token; default: no port

# What is recorded. It is in force for hooks once any ag-sessiond verb has run.
[capture]
exclude_projects = ["~/secret", "**/clients/*"]  # sessions in these folders, not at all; default: none
exclude_tools    = ["WebFetch", "mcp__bank__*"]  # neither input nor output of these; default: none
max_chars        = 100000           # bytes of one text, 256 to 1048576 (0, the default, is that)
content          = "full"           # "gist": 200 characters of each text; "none": sizes only

# Secrets beside those that are known by their shape. A named group is what is taken out.
[redact]
patterns = ["ACME-[0-9]{8}", "(?i)pin: (?P<pin>[0-9]{4})"]  # RE2; default: none

# What a model costs in "ag-sessiond usage", in US dollars per million tokens; it comes
# before the list price. A * stands for any text, the longest name that fits counts.
[prices."my-model-*"]
input          = 2.0
output         = 10.0
cache_read     = 0.2                # these three by default 0.1, 1.25 and 2 times input
cache_write_5m = 2.5
cache_write_1h = 4.0
fast           = 2.0                # all of it times this where the speed is "fast"
`

// Load reads the file of a home. Where there is none, or no home, everything has its
// default.
func Load(home string) (Config, error) {
	var c Config
	path := filepath.Join(home, FileName)
	text, err := os.ReadFile(path)
	if home == "" || errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the configuration: %w", err)
	}
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, describe(path, err)
	}
	for i := range c.Graph {
		if err := c.Graph[i].complete(home); err != nil {
			return Config{}, fmt.Errorf("%s: [[graph]] number %d: %w", path, i+1, err)
		}
	}
	if err := c.Transcripts.complete(home); err != nil {
		return Config{}, fmt.Errorf("%s: [transcripts]: %w", path, err)
	}
	for i := range c.Source {
		if err := c.Source[i].complete(home); err != nil {
			return Config{}, fmt.Errorf("%s: [[source]] number %d: %w", path, i+1, err)
		}
	}
	if err := c.API.complete(home); err != nil {
		return Config{}, fmt.Errorf("%s: [api]: %w", path, err)
	}
	if _, err := c.rules(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	for _, name := range c.Models() {
		p := c.Prices[name]
		if err := p.complete(); err != nil {
			return Config{}, fmt.Errorf("%s: [prices.%q]: %w", path, name, err)
		}
		c.Prices[name] = p
	}
	if err := c.check(path); err != nil {
		return Config{}, err
	}
	return c, nil
}

// complete fills in defaults, and refuses what contradicts itself.
func (g *Graph) complete(home string) error {
	if g.URL == "" {
		return errors.New(`url is missing: give one like url = "bolt://localhost:7687"`)
	}
	name, err := defaultName(g.URL)
	if err != nil {
		return err
	}
	if g.Name == "" {
		g.Name = name
	}
	if strings.Contains(g.Name, "://") || strings.ContainsFunc(g.Name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return fmt.Errorf("name %q: want a word without spaces, and no URL", g.Name)
	}
	var ways []string
	for _, way := range []struct{ key, value string }{
		{"password", g.Password}, {"password_file", g.PasswordFile}, {"password_env", g.PasswordEnv},
	} {
		if way.value != "" {
			ways = append(ways, way.key)
		}
	}
	switch len(ways) {
	case 0:
		if g.User != "" {
			return errors.New("user has no password: give one of password, password_file, password_env")
		}
		return nil
	case 1:
	default:
		return fmt.Errorf("%s: give one of them", strings.Join(ways, " and "))
	}
	if g.User == "" {
		g.User = defaultUser
	}
	if g.PasswordFile != "" && !filepath.IsAbs(g.PasswordFile) {
		g.PasswordFile = filepath.Join(home, g.PasswordFile)
	}
	return nil
}

// check looks at the entries together, and at who may read the passwords in the file.
func (c *Config) check(path string) error {
	names, secret := map[string]int{"sqlite": 0}, false
	for i, g := range c.Graph {
		if first, taken := names[g.Name]; taken {
			whose := fmt.Sprintf("number %d has it too", first)
			if first == 0 {
				whose = "it is the embedded store's"
			}
			return fmt.Errorf("%s: [[graph]] number %d: name %q: %s: give it another name", path, i+1, g.Name, whose)
		}
		names[g.Name] = i + 1
		secret = secret || g.Password != ""
	}
	if !secret {
		return nil
	}
	if err := checkPrivate(path); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	return nil
}

// checkPrivate refuses a file with a password in it that others may read: who wrote it
// has to know before it is used.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" { // which has no such permissions
		return fmt.Errorf("%s holds a password and others may read it (mode %04o): chmod 600 %s", path, mode, path)
	}
	return nil
}

// defaultName returns what tells a database from others on the same host, or why its URL
// is none. The error never shows a password that was put into it.
func defaultName(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errors.New("the url cannot be read: give one like bolt://localhost:7687") // err would show it
	case u.User != nil:
		return "", errors.New("the url holds a user or password, and would show it in logs: use the keys user and password " +
			"of " + FileName + ", or the variables " + UserEnv + " and " + PasswordEnv)
	case u.Scheme == "" || u.Hostname() == "":
		return "", fmt.Errorf("url %q: give one like bolt://localhost:7687", raw)
	case u.Path != "" && u.Path != "/":
		return "", fmt.Errorf("url %q: a database is named by the key database of %s", raw, FileName)
	case u.Port() == "" || u.Port() == defaultPort:
		return u.Hostname(), nil
	}
	return u.Host, nil
}

// FromEnvironment completes a Graph that is no entry of a file with the environment's
// user and password.
func FromEnvironment(raw string, env func(string) string) (Graph, error) {
	g := Graph{URL: raw, User: env(UserEnv)}
	if env(PasswordEnv) != "" {
		g.PasswordEnv = PasswordEnv
	}
	if g.User != "" && g.PasswordEnv == "" {
		return g, fmt.Errorf("%s is set and %s is not: set both, or none to connect without login", UserEnv, PasswordEnv)
	}
	return g, g.complete("")
}

// Secret returns the password, "" where there is none.
func (g *Graph) Secret(env func(string) string) (string, error) {
	switch {
	case g.PasswordEnv != "":
		if s := env(g.PasswordEnv); s != "" {
			return s, nil
		}
		return "", fmt.Errorf("graph %s: the environment variable %s is not set: it is to hold the password", g.Name, g.PasswordEnv)
	case g.PasswordFile != "":
		text, err := os.ReadFile(g.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("graph %s: read the password: %w", g.Name, err)
		}
		if err := checkPrivate(g.PasswordFile); err != nil {
			return "", fmt.Errorf("graph %s: %w", g.Name, err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		if line = strings.TrimSuffix(line, "\r"); line == "" {
			return "", fmt.Errorf("graph %s: the first line of %s is empty: it is to hold the password", g.Name, g.PasswordFile)
		}
		return line, nil
	}
	return g.Password, nil
}

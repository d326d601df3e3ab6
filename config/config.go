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
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
	// Metrics says where it is asked for what it counts.
	Metrics Metrics `toml:"metrics"`
	// Capture says what of the agents' work is recorded, Redact what else is a secret.
	// CompilePolicy brings both into force.
	Capture Capture `toml:"capture"`
	Redact  Redact  `toml:"redact"`
	// Retention says what becomes of old sessions.
	Retention Retention `toml:"retention"`
	// Seal says whether the daemon seals the journal.
	Seal Seal `toml:"seal"`
	// Secrets are what ag-sessiond secrets knows.
	Secrets Secrets `toml:"secrets"`
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
	Password string `toml:"password" secret:"true" oneof:"password_file,password_env"`
	// PasswordFile is a file whose first line is the password, relative to the home; it,
	// too, must be readable by its owner alone.
	PasswordFile string `toml:"password_file" oneof:"password,password_env"`
	// PasswordEnv is the name of an environment variable that holds the password.
	PasswordEnv string `toml:"password_env" oneof:"password,password_file"`
	// Database is the one to use of several in a server; its default one by default.
	Database string `toml:"database"`
}

// Load reads the file of a home. Where there is none, or no home, everything has its
// default.
func Load(home string) (Config, error) {
	return LoadWith(home, func(string) string { return "" })
}

// LoadWith is Load with the variables of Variables, which come before the file.
func LoadWith(home string, env func(string) string) (Config, error) {
	path := filepath.Join(home, FileName)
	var text []byte
	if home != "" {
		var err error
		if text, err = read(path); err != nil {
			return Config{}, err
		}
	}
	c, err := parse(home, text)
	if err == nil && c.holdsPassword() {
		if private := checkPrivate(path); private != nil {
			err = fmt.Errorf("read the configuration: %w", private)
		}
	}
	if err == nil {
		err = c.override(home, env)
	}
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// Check says what Load would say of a home whose file has this text, but for who may
// read it.
func Check(home string, text []byte) error {
	_, err := parse(home, text)
	return err
}

// parse reads a file's text, and makes it complete.
func parse(home string, text []byte) (c Config, err error) {
	path := filepath.Join(home, FileName)
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, describe(path, err)
	}
	l, err := layoutOf(text)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	wrong := c.complete(home)
	if wrong == nil {
		return c, nil
	}
	if line, there := l.line(wrong.at); there {
		path = fmt.Sprintf("%s:%d", path, line)
	}
	return Config{}, fmt.Errorf("%s: %w", path, wrong)
}

// wrong is an error in what a table of the file says; at is its path in the layout, table
// how it is called, "" where err says that itself.
type wrong struct {
	at    []string
	table string
	err   error
}

func (w *wrong) Error() string {
	if w.table == "" {
		return w.err.Error()
	}
	return w.table + ": " + w.err.Error()
}
func (w *wrong) Unwrap() error { return w.err }

// complete fills in what follows from other keys, makes paths absolute, and refuses what
// cannot be. To do it twice changes nothing.
func (c *Config) complete(home string) *wrong {
	for i := range c.Graph {
		if err := c.Graph[i].complete(home); err != nil {
			return wrongEntry("graph", i, err)
		}
	}
	for i := range c.Source {
		if err := c.Source[i].complete(home); err != nil {
			return wrongEntry("source", i, err)
		}
	}
	for _, name := range c.Models() {
		p := c.Prices[name]
		if err := p.complete(); err != nil {
			return &wrong{[]string{"prices", name}, fmt.Sprintf("[prices.%q]", name), err}
		}
		c.Prices[name] = p
	}
	if err := c.Transcripts.complete(home); err != nil {
		return wrongTable("transcripts", err)
	}
	if err := c.API.complete(home); err != nil {
		return wrongTable("api", err)
	}
	if err := c.Metrics.complete(); err != nil {
		return wrongTable("metrics", err)
	}
	if err := c.Retention.complete(); err != nil {
		return wrongTable("retention", err)
	}
	if _, err := c.rules(); err != nil { // which says of which of the two tables
		table := "capture"
		if strings.HasPrefix(err.Error(), "[redact]") {
			table = "redact"
		}
		return &wrong{at: []string{table}, err: err}
	}
	return c.checkNames()
}

func wrongTable(table string, err error) *wrong {
	return &wrong{[]string{table}, "[" + table + "]", err}
}

func wrongEntry(list string, i int, err error) *wrong {
	return &wrong{[]string{list, strconv.Itoa(i + 1)}, fmt.Sprintf("[[%s]] number %d", list, i+1), err}
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

// checkNames looks at the graphs together: each is called by its name.
func (c *Config) checkNames() *wrong {
	names := map[string]int{"sqlite": 0}
	for i, g := range c.Graph {
		if first, taken := names[g.Name]; taken {
			whose := fmt.Sprintf("number %d has it too", first)
			if first == 0 {
				whose = "it is the embedded store's"
			}
			return wrongEntry("graph", i, fmt.Errorf("name %q: %s: give it another name", g.Name, whose))
		}
		names[g.Name] = i + 1
	}
	return nil
}

// holdsPassword reports whether the file itself has one in it.
func (c *Config) holdsPassword() bool {
	return slices.ContainsFunc(c.Graph, func(g Graph) bool { return g.Password != "" })
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

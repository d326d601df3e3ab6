package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What Rules.Content may be: how much is kept of texts.
const (
	Full = "full" // all, up to MaxChars
	Gist = "gist" // the first GistChars characters
	None = "none" // nothing but its size
)

// GistChars is how many characters of a text, and of a value of an input, Gist keeps.
const GistChars = 200

// The least and most that Rules.MaxChars may be, in bytes: below the least there would be
// no room for saying what was cut, above the most a record gets too long for readers.
const (
	MinMaxChars = 256
	MaxMaxChars = 1 << 20
)

// Rules are what a user may set. The zero value keeps everything.
type Rules struct {
	// ExcludeProjects are absolute folders, with / between their parts; a part may be a glob,
	// and means a folder of that very name, too; ** is any number of parts. What is below a
	// folder belongs to it.
	ExcludeProjects []string `json:"exclude_projects,omitempty"`
	// ExcludeTools are names and globs of tools.
	ExcludeTools []string `json:"exclude_tools,omitempty"`
	// MaxChars is how many bytes of one text are kept; 0 is MaxMaxChars.
	MaxChars int `json:"max_chars,omitempty"`
	// Content is Full, Gist or None; "" is Full.
	Content string `json:"content,omitempty"`
	// Redact are expressions (RE2) of secrets. The first named group, where there is one,
	// is the secret and names it; else it is the whole match, and called custom-N.
	Redact []string `json:"redact,omitempty"`
	// FoldCase matches folders in any case, as the file systems of macOS and Windows do.
	FoldCase bool `json:"fold_case,omitempty"`
}

// Zero reports whether the rules keep everything.
func (r Rules) Zero() bool {
	return len(r.ExcludeProjects)+len(r.ExcludeTools)+len(r.Redact) == 0 && r.MaxChars == 0 && (r.Content == "" || r.Content == Full)
}

// Pattern is one expression of Rules.Redact.
type Pattern struct {
	Name  string
	Expr  *regexp.Regexp
	Group int // whose text is the secret; 0 is the whole match
}

// Policy is Rules, checked and compiled. It is safe for concurrent use.
type Policy struct {
	rules    Rules
	projects []project
	patterns []Pattern
}

type project struct {
	parts  []string
	digest uint64
}

// New compiles rules. The error names the key and the cure.
func New(r Rules) (*Policy, error) {
	p := &Policy{rules: r}
	for _, folder := range r.ExcludeProjects {
		parts := split(folder, r.FoldCase)
		if !slices.ContainsFunc(parts, func(part string) bool { return strings.Trim(part, "*?") != "" || !strings.Contains(part, "*") }) {
			return nil, fmt.Errorf("exclude_projects: %q would leave out everything: name a folder", folder)
		}
		for _, part := range parts {
			if _, err := path.Match(part, ""); err != nil {
				return nil, fmt.Errorf("exclude_projects: %q: %q is no glob: close its [", folder, part)
			}
		}
		sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
		p.projects = append(p.projects, project{parts, binary.BigEndian.Uint64(sum[:]) | 1})
	}
	for _, tool := range r.ExcludeTools {
		if _, err := path.Match(tool, ""); err != nil || tool == "" {
			return nil, fmt.Errorf("exclude_tools: %q: want a tool's name or a glob like %q", tool, "mcp__*")
		}
	}
	if r.MaxChars != 0 && (r.MaxChars < MinMaxChars || r.MaxChars > MaxMaxChars) {
		return nil, fmt.Errorf("max_chars = %d: want %d to %d", r.MaxChars, MinMaxChars, MaxMaxChars)
	}
	if !slices.Contains([]string{"", Full, Gist, None}, r.Content) {
		return nil, fmt.Errorf("content = %q: want %q, %q or %q", r.Content, Full, Gist, None)
	}
	for i, expr := range r.Redact {
		pattern, err := compile(expr, i)
		if err != nil {
			return nil, err
		}
		p.patterns = append(p.patterns, pattern)
	}
	return p, nil
}

// Private is the policy where none can be read: nothing of any text.
func Private() *Policy { return &Policy{rules: Rules{Content: None}} }

func compile(expr string, i int) (Pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return Pattern{}, fmt.Errorf("patterns: number %d: %w", i+1, err)
	}
	if re.MatchString("") {
		return Pattern{}, fmt.Errorf("patterns: number %d: %q matches the empty text: it would find nothing, everywhere", i+1, expr)
	}
	p := Pattern{Name: "custom-" + strconv.Itoa(i+1), Expr: re}
	for k, name := range re.SubexpNames() {
		if name != "" {
			p.Name, p.Group = name, k
			break
		}
	}
	return p, nil
}

// Rules returns what the policy was made from. The caller does not change it.
func (p *Policy) Rules() Rules {
	if p == nil {
		return Rules{}
	}
	return p.rules
}

// Patterns returns the expressions of secrets.
func (p *Policy) Patterns() []Pattern { return p.patterns }

// Project returns what names the first rule that leaves out a folder, 0 where none does.
// It says the same in every process.
func (p *Policy) Project(dir string) uint64 {
	if len(p.projects) == 0 || dir == "" {
		return 0
	}
	parts := split(dir, p.rules.FoldCase)
	for _, pr := range p.projects {
		if below(pr.parts, parts) {
			return pr.digest
		}
	}
	return 0
}

// HasProject reports whether the rule that Project named is still one.
func (p *Policy) HasProject(digest uint64) bool {
	return p != nil && slices.ContainsFunc(p.projects, func(pr project) bool { return pr.digest == digest })
}

// Tool reports whether what a tool is given and returns is left out.
func (p *Policy) Tool(name string) bool {
	return name != "" && slices.ContainsFunc(p.rules.ExcludeTools, func(glob string) bool {
		ok, _ := path.Match(glob, name)
		return ok
	})
}

// split returns the parts of a folder's path, whatever system wrote it.
func split(dir string, fold bool) []string {
	if fold {
		dir = strings.ToLower(dir)
	}
	dir = path.Clean("/" + strings.ReplaceAll(dir, `\`, "/"))
	return strings.FieldsFunc(dir, func(c rune) bool { return c == '/' })
}

// below reports whether a folder is one that a glob means, or below one. Of several places
// where what follows a ** fits, the first will do: so it takes no longer than the product
// of both lengths, whatever a payload says that its folder is.
func below(glob, dir []string) bool {
	g, d := 0, 0
	star, from := -1, 0 // the last **, and where what follows it is tried
	for g < len(glob) {
		if glob[g] == "**" {
			star, from = g, d
			g++
			continue
		}
		if d < len(dir) {
			// A folder may be called [x]: then that is what the part means, too.
			if ok, _ := path.Match(glob[g], dir[d]); ok || glob[g] == dir[d] {
				g, d = g+1, d+1
				continue
			}
		}
		if star < 0 || from >= len(dir) {
			return false
		}
		from++
		g, d = star+1, from
	}
	return true
}

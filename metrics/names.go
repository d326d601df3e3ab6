package metrics

import (
	"slices"
	"strings"
	"sync"
)

// Other is the label of what is beyond the bound, Unknown that of what has no name.
const (
	Other   = "other"
	Unknown = "unknown"
)

const (
	maxNames = 50 // of a set
	maxName  = 64 // bytes
)

// Names makes labels of names that agents choose: those that come first have their own, up
// to 50 of them; all others are one, as is what has characters or a length that no name has.
// So a label never is a text, and a hostile agent makes no more series than any other.
// Its zero value knows no name.
type Names struct {
	mu    sync.Mutex
	known map[string]string
}

// Label returns the label of a name.
func (n *Names) Label(name string) string {
	if name == "" {
		return Unknown
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if own, ok := n.known[name]; ok {
		return own
	}
	if len(n.known) >= maxNames || !plain(name) {
		return Other
	}
	if n.known == nil {
		n.known = map[string]string{}
	}
	own := strings.Clone(name)
	n.known[own] = own
	return own
}

// plain reports a name that is a word.
func plain(name string) bool {
	return len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-_.:/", r)
	})
}

// Tools makes labels of tools: one that Claude Code has of itself is called by its name, one
// of an MCP server by the server's (mcp:github), and any other as Names does it. Each of the
// latter two has its own 50.
type Tools struct{ servers, others Names }

// Label returns the label of a tool; server is the MCP server that it is of, "" is none.
func (t *Tools) Label(tool, server string) string {
	if i := slices.Index(builtIn[:], tool); i >= 0 {
		return builtIn[i]
	}
	if server == "" {
		return t.others.Label(tool)
	}
	return "mcp:" + t.servers.Label(server)
}

// builtIn are the tools of Claude Code, today's and of the versions that left transcripts.
var builtIn = [...]string{
	"Bash", "Read", "Edit", "Write", "Grep", "Glob", "Agent", "Task", "TodoWrite", "WebFetch", "WebSearch",
	"AskUserQuestion", "BashOutput", "EnterPlanMode", "EnterWorktree", "ExitPlanMode", "ExitWorktree", "KillBash", "KillShell",
	"ListMcpResourcesTool", "LS", "LSP", "Monitor", "MultiEdit", "NotebookEdit", "NotebookRead", "ReadMcpResourceTool",
	"SendMessage", "Skill", "SlashCommand", "StructuredOutput", "TaskCreate", "TaskGet", "TaskList", "TaskOutput",
	"TaskStop", "TaskUpdate", "TodoRead", "ToolSearch",
}

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
)

func (a *app) resumeCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "resume SESSION",
		Short: "Print the command that resumes a session in its agent",
		Long: `Print the shell command that resumes a session in the agent that it was recorded
from, in the directory where it started. Nothing is run.`,
		Example: `  ag-sessiond resume latest
  eval "$(ag-sessiond resume latest)"`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readSession(cmd.Context(), args[0], func(_ context.Context, _ connector.Reader, s graph.SessionRow) error {
				line, err := resumeLine(s)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]string{"session_id": s.SessionID, "command": line})
				}
				a.printf("%s\n", line)
				return nil
			})
		},
	}
}

// resumeLine is the command for a POSIX shell.
func resumeLine(s graph.SessionRow) (string, error) {
	var agent []string
	id, _, _ := strings.Cut(s.SessionID, "~") // the part of another machine resumes as the session
	switch s.SourceSDK {
	case "claude-code":
		agent = []string{"claude", "--resume", id}
	case "codex":
		agent = []string{"codex", "resume", id}
	case "gemini", "gemini-cli":
		agent = []string{"gemini", "--resume", id}
	default:
		return "", errcode.With(errcode.SessionResume, fmt.Errorf("session %s was recorded from %q, and how that resumes a session is not known", s.SessionID, s.SourceSDK))
	}
	var words []string
	for _, w := range agent {
		words = append(words, shellQuote(w))
	}
	line := strings.Join(words, " ")
	if s.WorkingDirectory == "" {
		return line, nil
	}
	// -- and quotes: a directory may be called anything.
	cd := "cd " + shellQuote(s.WorkingDirectory)
	if strings.HasPrefix(s.WorkingDirectory, "-") {
		cd = "cd -- " + shellQuote(s.WorkingDirectory)
	}
	return cd + " && " + line, nil
}

// shellQuote quotes a word for a POSIX shell where it needs it. Control characters
// go in as $'…' escapes: printed as they are a terminal would act on them.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+,=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	control := func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\ufffd' }
	if strings.IndexFunc(s, control) < 0 {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

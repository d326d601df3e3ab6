package settings

import (
	"slices"
	"strings"
)

// Ours reports whether the handler runs ag-hook for Claude Code, wherever that is.
func (e Entry) Ours() bool {
	ours, _ := e.calls()
	return ours
}

// Wrapped reports whether a handler that is ours does more than to run ag-hook, as
// "tee log | ag-hook claude" does: taking it out would take out more than ours.
func (e Entry) Wrapped() bool {
	ours, alone := e.calls()
	return ours && !alone
}

// calls reports whether ag-hook is run for Claude Code, and whether nothing else is.
func (e Entry) calls() (ours, alone bool) {
	if e.Type != "command" {
		return false, false
	}
	if e.Exec {
		ours = recorder(append([]string{e.Command}, e.Args...))
		return ours, ours
	}
	commands := shellCommands(e.Command)
	ours = slices.ContainsFunc(commands, recorder)
	return ours, ours && len(commands) == 1
}

// recorder reports whether words are a call of ag-hook for Claude Code. What only says
// how a shell is to start it may come first: variables, exec, PowerShell's &.
func recorder(words []string) bool {
	for len(words) > 0 && (assignment(words[0]) || slices.Contains([]string{"exec", "command", "env", "nohup", "nice"}, words[0])) {
		words = words[1:]
	}
	if len(words) < 2 || words[1] != "claude" {
		return false
	}
	name := words[0][strings.LastIndexAny(words[0], `/\`)+1:]
	return name == "ag-hook" || strings.EqualFold(name, "ag-hook.exe")
}

// assignment reports whether a shell takes the word for NAME=value.
func assignment(word string) bool {
	name, _, ok := strings.Cut(word, "=")
	return ok && name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && !('a' <= r && r <= 'z') && !('A' <= r && r <= 'Z') && !('0' <= r && r <= '9')
	})
}

// shellCommands cuts a line of sh, Git Bash or PowerShell into its commands, and these
// into words. It knows quotes and what stands between commands, which is enough to find
// one; a command within $(…) is a word.
func shellCommands(line string) [][]string {
	var commands [][]string
	var words []string
	var word strings.Builder
	var quote byte
	begun := false // a word is, though it may be empty
	endWord := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'' && i+1 < len(line) && strings.IndexByte(" \"'$\\`", line[i+1]) >= 0:
			// Other backslashes are those of a path of Windows.
			i++
			word.WriteByte(line[i])
			begun = true
		case quote != 0:
			word.WriteByte(c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ' || c == '\t' || c == '\r':
			endWord()
		case strings.IndexByte(";&|\n(){}", c) >= 0 && !(c == '{' && strings.HasSuffix(word.String(), "$")) && !(c == '}' && strings.Contains(word.String(), "${")):
			if endWord(); len(words) > 0 {
				commands = append(commands, words)
			}
			words = nil
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if endWord(); len(words) > 0 {
		commands = append(commands, words)
	}
	return commands
}

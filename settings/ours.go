package settings

import (
	"slices"
	"strings"
)

// Ours reports whether the handler runs ag-hook for Claude Code, wherever that is.
func (e Entry) Ours() bool {
	words, _, _ := e.find()
	return words != nil
}

// Wrapped reports whether a handler that is ours does more than to run ag-hook, as
// "tee log | ag-hook claude" or "timeout 5 ag-hook claude" does: taking it out would take
// out more than ours.
func (e Entry) Wrapped() bool {
	words, _, alone := e.find()
	return words != nil && !alone
}

// Every reports whether the handler's matcher leaves nothing of its event out. That of
// FileChanged names what is watched, and without one nothing is.
func (e Entry) Every() bool { return e.Matcher == "" || e.Matcher == "*" || e.Event == "FileChanged" }

// find is the call of ag-hook in a handler, and whether that is all the handler does.
func (e Entry) find() (words, env []string, alone bool) {
	if e.Type != "command" {
		return nil, nil, false
	}
	if e.Exec {
		return callIn(append([]string{e.Command}, e.Args...))
	}
	return callInLine(e.Command)
}

func callInLine(line string) (words, env []string, alone bool) {
	commands := shellCommands(line)
	for _, c := range commands {
		if words, env, alone = callIn(c); words != nil {
			return words, env, alone && len(commands) == 1
		}
	}
	return nil, nil, false
}

// callIn is the call of ag-hook for Claude Code in a command, the variables that it sets for
// it, and whether nothing else is run. What only says how a shell is to start it may come
// first: variables, exec; after a wrapper anything may, also a line for another shell.
func callIn(all []string) (words, env []string, alone bool) {
	wrapped := false
	for i, word := range all {
		if wrapped && strings.ContainsAny(word, " \t\n") {
			if words, inner, _ := callInLine(word); words != nil {
				return words, append(env, inner...), false
			}
		}
		switch {
		case recorder(all[i:]):
			return all[i:], env, !wrapped
		case assignment(word):
			env = append(env, word)
		case wrapper(word):
			wrapped = true
		case !wrapped && slices.Contains([]string{"exec", "command", "env", "nohup", "nice"}, word):
			wrapped = i+1 < len(all) && strings.HasPrefix(all[i+1], "-")
		case !wrapped:
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// wrapper reports whether a word begins a command that runs another one, which its
// arguments name somewhere.
func wrapper(word string) bool {
	return slices.Contains([]string{"timeout", "gtimeout", "time", "sudo", "doas", "setsid", "stdbuf", "ionice", "chronic", "flock", "caffeinate",
		"sh", "bash", "zsh", "dash", "ksh", "fish", "cmd", "powershell", "pwsh", "!", "if", "then", "else", "do"}, program(word))
}

// program is the name of what a word runs, without its folder.
func program(word string) string {
	name := word[strings.LastIndexAny(word, `/\`)+1:]
	if n := len(name) - len(".exe"); n > 0 && strings.EqualFold(name[n:], ".exe") {
		return strings.ToLower(name[:n])
	}
	return name
}

// recorder reports whether words are a call of ag-hook for Claude Code. Its options may
// stand before what it records.
func recorder(words []string) bool {
	if len(words) == 0 || program(words[0]) != "ag-hook" {
		return false
	}
	for i := 1; i < len(words); i++ {
		word := words[i]
		switch {
		case !strings.HasPrefix(word, "-"):
			return word == "claude"
		case slices.Contains([]string{"home", "at"}, strings.TrimLeft(word, "-")):
			i++ // its value
		}
	}
	return false
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

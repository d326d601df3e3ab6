package settings

// Call returns the words of the handler's call of ag-hook, its path first, and the variables
// that its line sets for it, NAME=value; none where the handler is not ours. What a shell would
// put in, $HOME or ${CLAUDE_PLUGIN_ROOT}, is there as it is written.
func (e Entry) Call() (words, env []string) {
	if !e.Ours() {
		return nil, nil
	}
	commands := [][]string{append([]string{e.Command}, e.Args...)}
	if !e.Exec {
		commands = shellCommands(e.Command)
	}
	for _, all := range commands {
		for i, word := range all {
			if assignment(word) {
				env = append(env, word)
			} else if recorder(all[i:]) && (i+1 == len(all) || !recorder(all[i+1:])) {
				return all[i:], env
			}
		}
		env = nil
	}
	return nil, nil
}

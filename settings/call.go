package settings

// Call returns the words of the handler's call of ag-hook, its path first, and the variables
// that its line sets for it, NAME=value; none where the handler is not ours. What a shell would
// put in, $HOME or ${CLAUDE_PLUGIN_ROOT}, is there as it is written.
func (e Entry) Call() (words, env []string) {
	words, env, _ = e.find()
	return words, env
}

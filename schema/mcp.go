package schema

import "strings"

// SplitMCP takes an MCP tool name apart: mcp__<server>__<tool>.
func SplitMCP(toolName string) (server, tool string, ok bool) {
	rest, ok := strings.CutPrefix(toolName, "mcp__")
	if !ok {
		return "", "", false
	}
	server, tool, ok = strings.Cut(rest, "__")
	return server, tool, ok && server != ""
}

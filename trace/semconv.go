package trace

import (
	"cmp"
	"strings"
)

// semconvVersion is the version of OpenTelemetry's semantic conventions that the names below
// are of: the last one of the conventions at large that defined those for generative AI. Their
// own repository (open-telemetry/semantic-conventions-genai) still breaks names between its
// first releases; to follow it is to change this file.
const semconvVersion = "1.41.0"

// schemaURL is where the version's names are described: what reads them can translate.
const schemaURL = "https://opentelemetry.io/schemas/" + semconvVersion

// Names of attributes.
const (
	attrServiceName = "service.name"
	attrSessionID   = "session.id"

	attrOperation      = "gen_ai.operation.name"
	attrProvider       = "gen_ai.provider.name"
	attrConversation   = "gen_ai.conversation.id"
	attrAgentID        = "gen_ai.agent.id"
	attrAgentName      = "gen_ai.agent.name"
	attrRequestModel   = "gen_ai.request.model"
	attrResponseModel  = "gen_ai.response.model"
	attrResponseID     = "gen_ai.response.id"
	attrFinishReasons  = "gen_ai.response.finish_reasons"
	attrInputTokens    = "gen_ai.usage.input_tokens"
	attrOutputTokens   = "gen_ai.usage.output_tokens"
	attrCacheRead      = "gen_ai.usage.cache_read.input_tokens"
	attrCacheCreation  = "gen_ai.usage.cache_creation.input_tokens"
	attrToolName       = "gen_ai.tool.name"
	attrToolCallID     = "gen_ai.tool.call.id"
	attrToolType       = "gen_ai.tool.type"
	attrErrorType      = "error.type"
	attrExceptionType  = "exception.type"
	attrExceptionText  = "exception.message"
	attrAgentAbout     = "gen_ai.agent.description" // content, as are the next four
	attrInputMessages  = "gen_ai.input.messages"
	attrOutputMessages = "gen_ai.output.messages"
	attrArguments      = "gen_ai.tool.call.arguments"
	attrToolResult     = "gen_ai.tool.call.result"

	// What the conventions have no name for.
	attrActionID   = "actiongraph.action_id" // as ag-sessiond show has it
	attrStatus     = "actiongraph.status"
	attrTurn       = "actiongraph.turn"
	attrCostUSD    = "actiongraph.cost_usd"
	attrForkedFrom = "actiongraph.forked_from"
	attrText       = "actiongraph.text" // content
)

// Values of attrOperation.
const (
	opInvokeAgent = "invoke_agent"
	opChat        = "chat"
	opExecuteTool = "execute_tool"
)

const (
	toolTypeFunction = "function"  // the agent runs it
	toolTypeMCP      = "extension" // an MCP server does
	eventException   = "exception"
	errorOther       = "_OTHER"
)

// provider is gen_ai.provider.name of a model, or of what a runtime's models usually are; where
// neither is known the runtime's own name.
func provider(model, sdk string) string {
	for _, name := range []string{model, sdk} {
		for _, p := range [...]struct{ prefix, name string }{
			{"claude", "anthropic"}, {"gpt", "openai"}, {"o1", "openai"}, {"o3", "openai"}, {"o4", "openai"}, {"codex", "openai"},
			{"gemini", "gcp.gemini"}, {"grok", "x_ai"}, {"mistral", "mistral_ai"}, {"deepseek", "deepseek"},
		} {
			if strings.HasPrefix(strings.ToLower(name), p.prefix) {
				return p.name
			}
		}
	}
	return cmp.Or(sdk, "unknown")
}

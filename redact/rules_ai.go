package redact

// Models and machine learning.
var aiRules = []rule{
	{id: "anthropic-api-key", lits: []string{"sk-ant-"}, glued: true, run: 32, expr: `sk-ant-[\w-]{25,}`},
	{id: "openrouter-api-key", lits: []string{"sk-or-"}, run: 40, expr: `sk-or-v\d-[a-f0-9]{40,}`},
	{id: "langfuse-secret-key", lits: []string{"sk-lf-"}, run: 40, expr: `sk-lf-[a-f0-9]{8}-[a-f0-9-]{27}`},
	{id: "openai-api-key", lits: []string{"sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"}, run: 40, expr: `sk-(?:proj|svcacct|admin|None)-[\w-]{32,}`},
	{id: "openai-api-key", lits: []string{"T3BlbkFJ"}, back: wordStart, expr: `sk-[\w-]{20,160}T3BlbkFJ[\w-]{20,}`},
	// A key of the old form, and those of the many services that copied it.
	{id: "openai-api-key", lits: []string{"sk-"}, run: 35, expr: `sk-[A-Za-z0-9]{32,}\b`, entropy: 3},
	{id: "huggingface-token", lits: []string{"hf_"}, run: 33, expr: `hf_[A-Za-z0-9]{30,}\b`, entropy: 2.5},
	{id: "huggingface-org-token", lits: []string{"api_org_"}, run: 42, expr: `api_org_[A-Za-z0-9]{34}\b`, entropy: 2.5},
	{id: "replicate-token", lits: []string{"r8_"}, run: 40, expr: `r8_[A-Za-z0-9]{37}\b`},
	{id: "groq-api-key", lits: []string{"gsk_"}, run: 50, expr: `gsk_[A-Za-z0-9]{48,}`},
	{id: "xai-api-key", lits: []string{"xai-"}, run: 60, expr: `xai-[A-Za-z0-9]{60,}`},
	{id: "perplexity-api-key", lits: []string{"pplx-"}, run: 45, expr: `pplx-[A-Za-z0-9]{40,}`, entropy: 3},
	{id: "fireworks-api-key", lits: []string{"fw_"}, run: 24, expr: `fw_[A-Za-z0-9]{22,40}\b`, entropy: 3.5},
	{id: "together-api-key", lits: []string{"tgp_v1_"}, run: 40, expr: `tgp_v1_[\w-]{36,}`},
	{id: "langsmith-api-key", lits: []string{"lsv2_pt_", "lsv2_sk_"}, run: 45, expr: `lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{8,}`},
	{id: "pinecone-api-key", lits: []string{"pcsk_"}, run: 50, expr: `pcsk_\w{50,}`},
	{id: "tavily-api-key", lits: []string{"tvly-"}, run: 30, expr: `tvly-(?:dev-|prod-)?[A-Za-z0-9]{26,}`},
	{id: "elevenlabs-api-key", kind: assigned, fold: true, lits: []string{"elevenlabs", "eleven_labs", "xi-api-key"}, expr: `(?:sk_)?[a-f0-9]{32,48}`},
	{id: "cohere-api-key", kind: assigned, fold: true, lits: []string{"cohere", "co_api_key"}, expr: `[A-Za-z0-9]{40}`, entropy: 3},
	{id: "mistral-api-key", kind: assigned, fold: true, lits: []string{"mistral"}, expr: `[A-Za-z0-9]{32}`, entropy: 3.5},
	{id: "wandb-api-key", kind: assigned, fold: true, lits: []string{"wandb"}, expr: `[a-f0-9]{40}|wandb_v1_\w{40,}`},
	{id: "kaggle-key", kind: assigned, fold: true, lits: []string{"kaggle"}, expr: `(?:KGAT_)?[a-f0-9]{32}`},
	{id: "assemblyai-api-key", kind: assigned, fold: true, lits: []string{"assemblyai", "deepgram"}, expr: `[a-f0-9]{32,40}`},
	{id: "privateai-api-key", kind: assigned, fold: true, lits: []string{"privateai", "private_ai", "private-ai"}, expr: `[a-z0-9]{32}`, entropy: 3},
}

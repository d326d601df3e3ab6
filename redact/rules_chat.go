package redact

// Messaging: chat, mail, telephone.
var chatRules = []rule{
	{id: "slack-config-token", lits: []string{"xoxe.xox"}, fold: true, glued: true, run: 60, expr: `xoxe.xox[bp]-\d-[a-z0-9]{60,}`},
	{id: "slack-config-token", lits: []string{"xoxe-"}, fold: true, glued: true, run: 60, expr: `xoxe-\d-[a-z0-9]{60,}`},
	{id: "slack-token", lits: []string{"xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxo-", "xoxs-", "xoxe-", "xoxc-", "xoxd-"}, glued: true, run: 13, expr: `xox[abceoprsd]-(?:\d-)?[A-Za-z0-9%+/=-]{8,}`},
	{id: "slack-app-token", lits: []string{"xapp-"}, fold: true, glued: true, run: 15, expr: `xapp-\d-[a-z0-9]+-\d+-[a-z0-9]+`},
	{id: "slack-webhook", lits: []string{"hooks.slack.com/", "hooks.slack-gov.com/"}, glued: true, run: 40, expr: `hooks\.slack(?:-gov)?\.com/((?:services|workflows|triggers)/[A-Za-z0-9+/]{30,})`},
	{id: "discord-webhook", lits: []string{"/api/webhooks/"}, glued: true, run: 60, expr: `/api/webhooks/(\d{17,20}/[\w-]{60,})`},
	{id: "discord-credential", kind: assigned, fold: true, lits: []string{"discord"}, expr: `[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}|[a-f0-9]{64}|[\w=-]{32}|[0-9]{17,19}`},
	{id: "telegram-bot-token", lits: []string{":AA"}, back: wordStart, run: 36, expr: `(?:bot)?(\d{5,16}:AA[\w-]{32,34})(?:$|[^\w-])`},
	{id: "telegram-bot-token", kind: assigned, fold: true, lits: []string{"telegr"}, expr: `\d{5,16}:A[\w-]{34}`},
	{id: "microsoft-teams-webhook", lits: []string{".office.com/webhook"}, glued: true, expr: `\.office\.com/webhook(?:b2)?/([\w@-]{36,80}/IncomingWebhook/[\w-]{20,40}/[\w-]{30,40}(?:/[\w-]+)?)`},
	{id: "google-chat-webhook", lits: []string{"chat.googleapis.com/v1/spaces/"}, glued: true, expr: `chat\.googleapis\.com/v1/spaces/[\w-]+/messages\?(key=[\w-]{20,}&token=[\w%-]{20,})`},
	{id: "sendgrid-api-key", lits: []string{"SG."}, run: 60, expr: `SG\.[\w=.-]{60,70}`, entropy: 3},
	{id: "twilio-key", run: 34, expr: `SK[0-9a-fA-F]{32}`, entropy: 2.5, glued: true,
		lits: []string{"SK0", "SK1", "SK2", "SK3", "SK4", "SK5", "SK6", "SK7", "SK8", "SK9", "SKa", "SKb", "SKc", "SKd", "SKe", "SKf", "SKA", "SKB", "SKC", "SKD", "SKE", "SKF"}},
	{id: "mailgun-key", lits: []string{"key-"}, run: 36, expr: `key-[a-f0-9]{32}\b`},
	{id: "mailgun-key", lits: []string{"pubkey-"}, run: 39, expr: `pubkey-[a-f0-9]{32}\b`},
	{id: "mailgun-key", kind: assigned, fold: true, lits: []string{"mailgun"}, expr: `[a-h0-9]{32}-[a-h0-9]{8}-[a-h0-9]{8}|(?:pub)?key-[a-f0-9]{32}`},
	{id: "mailchimp-api-key", lits: []string{"-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9", "-us0"}, back: 32, run: 4, expr: `[a-f0-9]{32}-us\d{1,2}\b`},
	{id: "mailchimp-api-key", kind: assigned, fold: true, lits: []string{"mailchimp"}, expr: `[a-f0-9]{32}-us\d{1,2}`},
	{id: "mandrill-api-key", lits: []string{"md-"}, run: 24, expr: `md-[A-Za-z0-9_-]{22}\b`, entropy: 3.5},
	{id: "brevo-api-key", lits: []string{"xkeysib-", "xsmtpsib-"}, glued: true, run: 80, expr: `x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}`},
	{id: "resend-api-key", lits: []string{"re_"}, run: 28, expr: `re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,26}\b`, entropy: 3.5},
	{id: "postmark-token", kind: assigned, fold: true, lits: []string{"postmark"}, expr: uuid},
	{id: "mattermost-token", kind: assigned, fold: true, lits: []string{"mattermost"}, expr: `[a-z0-9]{26}`},
	{id: "line-notify-token", kind: assigned, fold: true, lits: []string{"line_notify", "line-notify"}, expr: `[A-Za-z0-9]{43}`},
	{id: "intercom-token", kind: assigned, fold: true, lits: []string{"intercom"}, expr: `[\w=-]{60}`},
	{id: "messagebird-key", kind: assigned, fold: true, lits: []string{"messagebird", "message-bird", "message_bird"}, expr: `[A-Za-z0-9]{25}|` + uuid},
	{id: "sendbird-token", kind: assigned, fold: true, lits: []string{"sendbird"}, expr: `[a-f0-9]{40}|` + uuid},
}

const uuid = `[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`

// Package redact takes credentials out of an event before it is written, and cuts
// strings that are longer than a journal keeps. Redactor.Event returns a Line; a
// journal accepts nothing else.
//
// # What it does
//
// Every string of an event is looked at: text fields, tags, and each string value
// and object key at any depth of tool_input, result, metadata and extra, after its
// JSON escapes are taken off. JSON in a string in JSON is read through its escapes.
// What a rule finds becomes [REDACTED:<rule>], and the event's "redacted" member
// counts it by rule. Of a <private> block nothing stays, with or without its end tag.
//
// Never touched: the event's own ids and hashes; hashes, git objects, uuids and paths
// that no credential's name precedes; the bytes of images and data: URLs; signatures
// of thinking blocks; placeholders ($VAR, <token>, ***, your-key-here).
//
// # It is best effort
//
// A rule knows a vendor's documented shape, or a name that says what its value is. A
// password in a sentence ("it is swordfish"), a secret of letters alone under no
// telling name, one that is encoded (base64, hex, compressed), split over several
// strings, or a number stays. A credential that has no name and no shape of its own
// cannot be told from a hash, and hashes stay. A key's name hides a value that only
// looks like a credential. So a journal is as private as what is typed into the
// agent, less what the rules know: it is readable by its owner alone, and what must
// not be recorded at all belongs in <private>.
//
// Its tests hold the rules against those of gitleaks, of which every one that has a vendor's shape
// is caught; package secrets looks with gitleaks' own for what got through.
//
// # How
//
// One pass over the encoded line looks for the literals of all rules by their rarest
// three bytes (anchors.go); at a literal a cheap test asks for a word boundary, for
// enough bytes of the kind tokens are made of, or for an assignment (find.go). Only
// where that holds the event is taken apart and searched string by string (json.go),
// and only then an expression is compiled. Making a Redactor costs tens of
// microseconds and package initialisation next to nothing, for ag-hook starts anew at
// every hook.
//
// Rules are rows of tables (rules_*.go) of one of four kinds: a shape; a shape of the
// value that is assigned to a vendor's name; any credible value assigned to a
// credential's name (judge.go); a block, URL or header that a function reads
// (blocks.go). A new rule needs a row there and two lines in testdata/golden.txt.
//
// # Rules
//
//   - blocks:
//     private private-key putty-private-key age-secret-key jwt jwt-base64 private-key-base64
//     authorization url-password curl-user
//   - clouds:
//     aws-access-key-id aws-secret-access-key aws-session-token aws-bedrock-api-key
//     aws-presigned-signature google-api-key google-oauth-client-secret google-oauth-access-token
//     google-oauth-refresh-token firebase-cloud-messaging-key azure-client-secret
//     azure-storage-key azure-sas-signature azure-devops-token azure-api-management-key
//     alibaba-access-key-id tencent-secret-id yandex-api-key yandex-iam-token digitalocean-token
//     digitalocean-spaces-key cloudflare-origin-ca-key cloudflare-token flyio-token heroku-api-key
//     vercel-token netlify-token render-api-key scaleway-access-key scalingo-token
//     ibm-cloud-api-key planetscale-token supabase-key neon-api-key clickhouse-cloud-key
//     openshift-token databricks-token snowflake-token kubernetes-bootstrap-token
//   - forges, registries, CI:
//     github-token github-fine-grained-token gitlab-token gitlab-job-token
//     gitlab-runner-registration-token gitlab-session-cookie gitea-token bitbucket-app-password
//     atlassian-api-token sourcegraph-token npm-token npm-auth-token pypi-token rubygems-token
//     cargo-token clojars-token nuget-api-key nuget-config-password dockerhub-token
//     artifactory-api-key artifactory-reference-token circleci-token buildkite-token
//     octopus-deploy-api-key harness-token prefect-token pulumi-token terraform-cloud-token
//     infracost-token snyk-token sonar-token deno-token postman-api-key postman-collection-key
//     readme-token
//   - models:
//     anthropic-api-key openrouter-api-key langfuse-secret-key openai-api-key huggingface-token
//     huggingface-org-token replicate-token groq-api-key xai-api-key perplexity-api-key
//     fireworks-api-key together-api-key langsmith-api-key pinecone-api-key tavily-api-key
//     elevenlabs-api-key cohere-api-key mistral-api-key wandb-api-key kaggle-key
//     assemblyai-api-key privateai-api-key
//   - messaging:
//     slack-config-token slack-token slack-app-token slack-webhook discord-webhook
//     discord-credential telegram-bot-token microsoft-teams-webhook google-chat-webhook
//     sendgrid-api-key twilio-key mailgun-key mailchimp-api-key mandrill-api-key brevo-api-key
//     resend-api-key postmark-token mattermost-token line-notify-token intercom-token
//     messagebird-key sendbird-token
//   - money:
//     stripe-key stripe-webhook-secret shopify-token square-token facebook-page-token
//     braintree-token paypal-token razorpay-key flutterwave-key gocardless-token adyen-api-key
//     lob-api-key duffel-token easypost-api-key shippo-token plaid-token plaid-credential
//     coinbase-token kraken-key kucoin-key bittrex-key binance-key finicity-key finnhub-key
//     freshbooks-token freemius-secret-key etsy-token squarespace-token
//   - services:
//     linear-api-key linear-client-secret notion-token airtable-token airtable-api-key asana-token
//     asana-credential atlassian-token bitbucket-credential figma-token contentful-token
//     typeform-token frameio-token adobe-client-secret adobe-credential 1password-secret-key
//     1password-service-token hubspot-token hubspot-api-key salesforce-token zendesk-token
//     zapier-webhook settlemint-token authress-key intra42-secret maxmind-license-key
//     mapbox-secret-token mapbox-token algolia-api-key beamer-token codecov-token dropbox-token
//     flickr-key gitter-token linkedin-credential facebook-secret twitter-bearer-token
//     twitter-credential twitch-credential rapidapi-key nytimes-key looker-credential adafruit-key
//     yandex-credential
//   - operations:
//     vault-token doppler-token infisical-token grafana-token new-relic-key new-relic-license-key
//     sentry-token datadog-key dynatrace-token honeycomb-key elastic-cloud-key posthog-key
//     sumologic-credential loggly-token okta-token auth0-credential launchdarkly-key tailscale-key
//     ngrok-token defined-networking-token fastly-token cloudflare-api-key meraki-api-key
//     confluent-key heroku-api-key netlify-token alibaba-secret-key snyk-token sonar-token
//     sourcegraph-token droneci-token travisci-token jfrog-token sidekiq-credential
//   - by name alone:
//     secret
package redact

package redact

// Clouds, their identities and their storage.
var cloudRules = []rule{
	// IAM unique ids of credentials: a four-letter kind and 16 of base 32.
	{id: "aws-access-key-id", lits: []string{"AKIA", "ASIA", "ABIA", "ACCA", "A3T"}, run: 20, expr: `A(?:KIA|SIA|BIA|CCA|3T[A-Z0-9])[A-Z0-9]{16}\b`},
	{id: "aws-secret-access-key", kind: assigned, fold: true, lits: []string{"secret_access_key", "secretaccesskey", "aws_secret", "aws_sec", "awssecret"}, expr: `[A-Za-z0-9/+]{40}`},
	{id: "aws-session-token", kind: assigned, fold: true, lits: []string{"session_token", "sessiontoken", "security_token", "securitytoken", "security-token"}, expr: `[A-Za-z0-9/+=%]{100,1000}[A-Za-z0-9/+=%]{0,1000}`},
	{id: "aws-bedrock-api-key", lits: []string{"ABSK"}, run: 100, expr: `ABSK[A-Za-z0-9+/]{100,300}={0,2}`},
	{id: "aws-bedrock-api-key", lits: []string{"bedrock-api-key-"}, glued: true, run: 24, expr: `bedrock-api-key-[A-Za-z0-9+/=_-]{20,}`},
	{id: "aws-presigned-signature", lits: []string{"X-Amz-Signature=", "X-Amz-Security-Token="}, fold: false, run: 40, expr: `X-Amz-[\w-]+=([\w%-]{32,})`},

	{id: "google-api-key", lits: []string{"AIza"}, run: 39, expr: `AIza[\w-]{35,}`},
	{id: "google-oauth-client-secret", lits: []string{"GOCSPX-"}, glued: true, run: 28, expr: `GOCSPX-[\w-]{28,}`},
	{id: "google-oauth-access-token", lits: []string{"ya29."}, run: 30, expr: `ya29\.[\w-]{20,}`},
	{id: "google-oauth-refresh-token", lits: []string{"1//0"}, run: 40, expr: `1//0[\w-]{40,}`},
	{id: "firebase-cloud-messaging-key", lits: []string{":APA91b"}, glued: true, run: 100, expr: `:(APA91b[\w-]{100,})`},

	{id: "azure-client-secret", lits: []string{"0Q~", "1Q~", "2Q~", "3Q~", "4Q~", "5Q~", "6Q~", "7Q~", "8Q~", "9Q~"}, back: 3, expr: `([\w.~]{3}\dQ~[\w.~-]{31,34})(?:$|[^\w.~-])`},
	{id: "azure-storage-key", lits: []string{"AccountKey=", "SharedAccessKey="}, glued: true, run: 40, expr: `SharedAccessKey=([A-Za-z0-9+/]{40,88}={0,2})|AccountKey=([A-Za-z0-9+/]{80,88}={0,2})`},
	{id: "azure-sas-signature", lits: []string{"sig="}, run: 44, expr: `sig=([A-Za-z0-9%+/]{40,80}(?:=|%3D))`},
	{id: "azure-devops-token", lits: []string{"AZDO"}, back: 76, expr: `[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}`},
	{id: "azure-api-management-key", lits: []string{"Ocp-Apim-Subscription-Key"}, expr: `Ocp-Apim-Subscription-Key["'\s:=]{1,6}([0-9a-fA-F]{32})`},

	{id: "alibaba-access-key-id", lits: []string{"LTAI"}, run: 16, expr: `LTAI[A-Za-z0-9]{12,24}\b`, entropy: 2},
	{id: "tencent-secret-id", lits: []string{"AKID"}, run: 36, expr: `AKID[A-Za-z0-9]{32}\b`, entropy: 3},
	{id: "yandex-api-key", lits: []string{"AQVN"}, run: 39, expr: `AQVN[\w-]{35,38}`, entropy: 3},
	{id: "yandex-iam-token", lits: []string{"t1."}, run: 90, expr: `t1\.[\w-]+={0,2}\.[\w-]{86}={0,2}`},
	{id: "digitalocean-token", lits: []string{"dop_v1_", "doo_v1_", "dor_v1_"}, fold: true, glued: true, run: 71, expr: `do[opr]_v1_[a-fA-F0-9]{64}`},
	{id: "digitalocean-spaces-key", lits: []string{"DO00", "DO80"}, run: 20, expr: `DO[08]0[A-Z0-9]{16}\b`, entropy: 3},
	{id: "cloudflare-origin-ca-key", lits: []string{"v1.0-"}, run: 170, expr: `v1\.0-[a-f0-9]{24}-[a-f0-9]{146}`},
	{id: "cloudflare-token", lits: []string{"cfut_", "cfat_", "cfk_", "cfoat_"}, run: 40, expr: `cf(?:ut|at|oat|k)_[A-Za-z0-9_-]{36,}`},
	{id: "flyio-token", lits: []string{"fo1_", "fm1r_", "fm1a_", "fm2_"}, run: 47, expr: `fo1_[\w-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{100,1000}={0,3}`},
	{id: "heroku-api-key", lits: []string{"HRKU-"}, run: 36, expr: `HRKU-[\w-]{32,}`},
	{id: "vercel-token", lits: []string{"vcp_", "vci_", "vca_", "vcr_", "vck_"}, run: 28, expr: `vc[piark]_[A-Za-z0-9]{24,}`, entropy: 3},
	{id: "netlify-token", lits: []string{"nfp_", "nfc_", "nfo_", "nfb_", "nfu_"}, run: 40, expr: `nf[pcobu]_[A-Za-z0-9]{36,}`},
	{id: "render-api-key", lits: []string{"rnd_"}, run: 30, expr: `rnd_[A-Za-z0-9]{28,}`, entropy: 3},
	{id: "scaleway-access-key", lits: []string{"SCW"}, run: 20, expr: `SCW[A-Z0-9]{17}\b`, entropy: 3},
	{id: "scalingo-token", lits: []string{"tk-us-"}, run: 54, expr: `tk-us-[\w-]{48}`},
	{id: "ibm-cloud-api-key", kind: assigned, fold: true, lits: []string{"ibmcloud", "ibm_cloud", "bluemix"}, expr: `[\w-]{44}`, entropy: 3.5},
	{id: "planetscale-token", lits: []string{"pscale_tkn_", "pscale_pw_", "pscale_oauth_"}, fold: true, run: 40, expr: `pscale_(?:tkn|pw|oauth)_[\w=.-]{32,}`},
	{id: "supabase-key", lits: []string{"sbp_", "sb_secret_"}, run: 30, expr: `sbp_(?:v0_)?[a-f0-9]{40}|sb_secret_[\w-]{22,}`},
	{id: "neon-api-key", lits: []string{"napi_"}, run: 50, expr: `napi_[a-z0-9]{48,}`, entropy: 3},
	{id: "clickhouse-cloud-key", lits: []string{"4b1d"}, run: 42, expr: `4b1d[A-Za-z0-9]{38}\b`, entropy: 3},
	{id: "openshift-token", lits: []string{"sha256~"}, run: 50, expr: `sha256~[\w-]{43}`, entropy: 3.5},
	{id: "databricks-token", lits: []string{"dapi"}, run: 36, expr: `dapi[a-f0-9]{32}(?:-\d)?\b`, entropy: 2.5},
	{id: "snowflake-token", lits: []string{"ver:1-hint:"}, run: 60, expr: `ver:1-hint:\d+-ETMsDgAAA[\w+/=-]{40,}`},
	{id: "kubernetes-bootstrap-token", kind: assigned, fold: true, lits: []string{"bootstrap-token", "bootstrap_token"}, expr: `[a-z0-9]{6}\.[a-z0-9]{16}`},
}

package redact

// Blocks that enclose what is secret, whatever is inside.
var blockRules = []rule{
	{id: "private", kind: private, lits: []string{"<private>"}, fold: true, glued: true},
	{id: "private-key", kind: pem, lits: []string{"-----begin"}, fold: true, glued: true},
	{id: "putty-private-key", lits: []string{"Private-Lines:"}, expr: `Private-Lines:[ ]?\d{1,3}((?:[\s\\nrt]|[A-Za-z0-9+/=]){40,1000})`},
	{id: "age-secret-key", lits: []string{"AGE-SECRET-KEY-1"}, glued: true, run: 60, expr: `AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}`},
	{id: "age-secret-key", lits: []string{"AGE-SECRET-KEY-PQ-1"}, glued: true, run: 60, expr: `AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]{58,}`},
	{id: "jwt", lits: []string{"eyJ"}, run: 40, expr: `eyJ[\w-]{14,}={0,2}\.(?:ey|[\w-]{2})[\w\\/-]{14,}={0,2}\.(?:[\w\\/+-]{10,}={0,2})?`},
	// Any header and payload that are JSON objects; the anchor is where the payload begins.
	{id: "jwt", lits: []string{".ey"}, back: wordStart, run: 19, expr: `e[yw][\w-]{17,}={0,2}\.ey[\w\\/-]{17,}={0,2}\.(?:[\w\\/-]{10,}={0,2})?`},
	// A JWT in base64, as a Kubernetes secret holds it: eyJ becomes ZXlK.
	{id: "jwt-base64", lits: []string{"ZXlK"}, run: 14, expr: `ZXlK[\w+/\\-]{44,}={0,2}`, entropy: 3.5},
	// A PEM header in base64: LS0tLS1CRUdJTi = "-----BEGIN".
	{id: "private-key-base64", lits: []string{"LS0tLS1CRUdJTi"}, run: 100, expr: `LS0tLS1CRUdJTi(?:[A-Za-z0-9+/]{8,60}|[A-Za-z0-9+/]{0,60}Q)(?:FURSBLRV|UklWQVRFIEtFW|BSSVZBVEUgS0VZ|SVZBVEUgS0VZ|JJVkFURSBLRV)[A-Za-z0-9+/=]{60,}`},
	{id: "authorization", kind: header, lits: []string{"authorization", "bearer ", "basic "}, fold: true},
	{id: "url-password", kind: userinfo, lits: []string{"://"}},
	{id: "curl-user", near: "curl", lits: []string{" -u", " --user"}, glued: true, expr: ` (?:-u|--user)[ =\t]{0,5}(?:` + curlUser + `)`},
	{id: "unescape", kind: escaped, lits: []string{`\u00`, `:\/`}},
}

// curlUser is user:password as curl takes it, quoted as a whole, in parts or not
// at all; a variable is none.
const curlUser = `"([^\s"$:]{0,64}:[^"$]{3,128})"|'([^\s'$:]{0,64}:[^'$]{3,128})'|` +
	`((?:"[^"$]{1,64}"|'[^'$]{1,64}'|[^\s'"$:]{1,64}):(?:"[^"$]{3,128}"|'[^'$]{3,128}'|[^\s'"$]{3,128}))`

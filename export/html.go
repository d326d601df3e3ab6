package export

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"regexp"
)

//go:embed page.html
var page string

//go:embed page.css
var css string

// HTML writes the conversation as one page without scripts, which loads nothing. The error
// is the writer's.
func (c Conversation) HTML(w io.Writer) error {
	redacted := regexp.MustCompile(`\[REDACTED:[a-z0-9-]+\]`)
	t, err := template.New("page").Funcs(template.FuncMap{
		"parts": parts,
		// What redaction took is marked; the text around it is escaped as any other.
		"text": func(s string) template.HTML {
			return template.HTML(redacted.ReplaceAllString(template.HTMLEscapeString(s), "<mark>$0</mark>"))
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	// The style is ours, and only it is allowed: none that a text might smuggle in.
	sum := sha256.Sum256([]byte(css))
	b := bufio.NewWriter(w)
	err = t.Execute(b, struct {
		document
		CSS    template.CSS
		Policy string
	}{c.document(), template.CSS(css), "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"})
	if err != nil {
		return err
	}
	return b.Flush()
}

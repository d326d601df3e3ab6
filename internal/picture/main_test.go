package main

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func TestDraw(t *testing.T) {
	var b strings.Builder
	if err := draw(&b, "\x1b[1mbold\x1b[0m a<b&c\r\n\x1b[31;2mred\n still \x1b[32mgreen\x1b[0m│\x1b[?25l\n\n"); err != nil {
		t.Fatal(err)
	}
	svg := b.String()
	var texts []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		if c, ok := token.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			texts = append(texts, string(c))
		}
	}
	if got := strings.Join(texts, "|"); got != "bold| a<b&c|red| still |green|│" {
		t.Errorf("the texts are %q", got)
	}
	for _, want := range []string{`font-weight="bold">bold<`, `fill="#ff6b6b" opacity="0.6">red<`, `opacity="0.6" fill="#98c379">green<`} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "\x1b") || strings.Contains(svg, "[?25l") {
		t.Errorf("an escape sequence is drawn:\n%s", svg)
	}
}

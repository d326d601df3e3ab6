package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

var validSeeds = []string{
	``, ` `, `{}`, `[]`, `[[]]`, `{"a":{}}`, `{"a":[],"b":{"c":[1,2,{"d":null}]}}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`,
	`{"a":1,}`, `{a:1}`, `"`, `"a`, `"a\"`, `"a\\"`, `"\u12"`, `"\u12fG"`, `"\u12fA"`, `"\x"`, "\"a\nb\"", "\"\x1f\"",
	"\"\x7f\x80\xff\"", `"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"`, `"0123456` + "\x01" + `"`, `-`, `-0`, `01`, `1.`, `1.5e`,
	`1.5e+9`, `.5`, `+1`, `tru`, `true`, `truex`, `nul`, `null `, ` false`, `}`, `{]`, `[}`, `{"a":1]`, `[1 2]`, `1 2`,
	"[1,\n\t2 ]\r\n", `{"a":1 "b":2}`, `"é漢字"`, strings.Repeat("[", 10000) + strings.Repeat("]", 10000),
	strings.Repeat("[", 10001) + strings.Repeat("]", 10001), "\v1", "\u00a01",
}

func TestValidAgreesWithJSON(t *testing.T) {
	for _, s := range validSeeds {
		if got, want := schema.Valid([]byte(s)), json.Valid([]byte(s)); got != want {
			t.Errorf("Valid(%.60q) = %v, json.Valid says %v", s, got, want)
		}
	}
	// Every byte at every place of the eight that are looked at together.
	for c := range 256 {
		for at := range 20 {
			s := []byte(`"` + strings.Repeat("x", 20) + `"`)
			s[1+at] = byte(c)
			if got, want := schema.Valid(s), json.Valid(s); got != want {
				t.Errorf("Valid(%q) = %v, json.Valid says %v", s, got, want)
			}
		}
	}
}

func FuzzValid(f *testing.F) {
	for _, s := range validSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := schema.Valid(b), json.Valid(b); got != want {
			t.Errorf("Valid(%q) = %v, json.Valid says %v", b, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	doc := []byte(`{"tool_name":"Write","tool_input":{"content":"` + strings.Repeat(`func main() {\n\tprintln(\"hello\")\n}\n`, 25000) + `"}}`)
	for _, v := range []struct {
		name  string
		valid func([]byte) bool
	}{{"schema", schema.Valid}, {"json", json.Valid}} {
		b.Run(v.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if !v.valid(doc) {
					b.Fatal("not valid")
				}
			}
		})
	}
}

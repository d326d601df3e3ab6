package jsonl_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
)

// TestGrainHash holds the hash against SHA-256 over what Python's json.dumps(grain,
// sort_keys=True, separators=(",", ":"), ensure_ascii=False) gives: it must never change.
func TestGrainHash(t *testing.T) {
	for _, c := range []struct{ hash, grain string }{
		{"00ea7911a4eedd37267abd627fa32564b74a3db90aa44311871d17c2bcef86bf", `{"tool_name":"web_search","input":{"query":"weather in tokyo"},"content":"72F, partly cloudy, humidity 65%","duration_ms":340}`},
		{"579f3c3b1c78bec0aa5ed0078ebb7fd4bcf5815b87188d5c054da6e44b76801f", `{"tool_name":"database_query","input":{"sql":"SELECT * FROM users"},"is_error":true,"error":"connection timeout after 5000ms","duration_ms":5000}`},
		{"d0769ab85087d6c431c6f5bffa8719c49d2a62e0106f3a3ed091db23b4b5eb84", `{"tool_name":"fetch_data","content":"200 OK, 1.2MB","parent_task_id":"task-001","namespace":"weather"}`},
		{"1a4ce2f16f541aebc87d4bc1afe0bff64c4ea7765432009348b31f54c380b2ca", `{"tool_name":"日本","input":{"b":[1,2.5,true,null,{"z":"a\"\\\n","a":""}],"a":"é\u2028<"},"tags":["x","y"],"related_to":["ab"],` +
			`"confidence":0.25,"created_at":1739980800000,"output_schema":{"type":"object"},"zzz":{"k":-1},"aaa":"first"}`},
	} {
		g := grain(t, c.grain)
		if got := g.Hash(); got != c.hash {
			t.Errorf("%s\nhash %s, want %s", c.grain, got, c.hash)
		}
	}
}

// TestGrainHashPython holds the hash of every grain of testdata/grainhash.jsonl against the
// one that Python gave it, by testdata/grainhash.py: it must never change.
func TestGrainHashPython(t *testing.T) {
	file, err := os.ReadFile("testdata/grainhash.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	if len(lines) < 300 {
		t.Fatalf("%d grains", len(lines))
	}
	d := jsonl.NewDecoder(jsonl.Source{Format: jsonl.OMS})
	for i, line := range lines {
		want, raw, _ := strings.Cut(line, " ")
		g := grain(t, raw)
		text, _ := g.MarshalJSON()
		if g.Hash() != want {
			t.Errorf("line %d: %s\nhash of %s", i+1, raw, text)
		}
		if err := g.Validate(); err != nil {
			t.Errorf("line %d: %v", i+1, err)
		}
		if _, l, err := d.Append(nil, []byte(raw), 1, time.Unix(1, 0)); err != nil || l.Hashes[0] != want {
			t.Errorf("line %d: the decoder: %v", i+1, err)
		}
	}
}

// grainJSON draws a JSON value as Go has it.
func grainJSON(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Custom(func(t *rapid.T) any { return rapid.String().Draw(t, "text") }),
		rapid.Custom(func(t *rapid.T) any { return json.Number(fmt.Sprint(rapid.Int64().Draw(t, "number"))) }),
		rapid.Custom(func(t *rapid.T) any { return json.Number(grainFloat().Draw(t, "float")) }),
		rapid.Custom(func(t *rapid.T) any { return rapid.Bool().Draw(t, "bool") }),
		rapid.Just[any](nil),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(grainJSON(depth-1), 0, 4).Draw(t, "array") }),
		rapid.Custom(func(t *rapid.T) any { return grainObject(depth-1).Draw(t, "object") }))...)
}

func grainObject(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.String(), grainJSON(depth), 0, 6)
}

// untidy writes a value with its members in any order, with blanks and escapes.
func untidy(t *rapid.T, v any) string {
	blank := rapid.SampledFrom([]string{"", "", " ", "\n", "\t \r"})
	var b strings.Builder
	put := func(s string) { b.WriteString(blank.Draw(t, "blank") + s + blank.Draw(t, "blank")) }
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		put("{")
		for i, name := range rapid.Permutation(names).Draw(t, "order") {
			if i > 0 {
				put(",")
			}
			put(quoted(t, name))
			put(":")
			put(untidy(t, v[name]))
		}
		put("}")
	case []any:
		put("[")
		for i, e := range v {
			if i > 0 {
				put(",")
			}
			put(untidy(t, e))
		}
		put("]")
	case string:
		put(quoted(t, v))
	default:
		raw, _ := json.Marshal(v)
		put(string(raw))
	}
	return b.String()
}

// quoted writes a string, some of its characters as escapes.
func quoted(t *rapid.T, s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if rapid.Bool().Draw(t, "escaped") {
		text := ""
		for _, r := range s {
			if r < 0x10000 && r != 0xFFFD {
				text += fmt.Sprintf(`\u%04x`, r)
			} else {
				text += string(r)
			}
		}
		return `"` + text + `"`
	}
	return string(raw)
}

// grainFloat draws a number with a fraction or an exponent.
func grainFloat() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) string {
			f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
			if math.IsNaN(f) || math.IsInf(f, 0) {
				f = 0.5
			}
			return strconv.FormatFloat(f, 'e', -1, 64)
		}),
		rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%d.%de%d", rapid.IntRange(-99, 99).Draw(t, "whole"), rapid.Uint32().Draw(t, "fraction"), rapid.IntRange(-25, 25).Draw(t, "exponent"))
		}),
		rapid.SampledFrom([]string{"-0.0", "0e5", "1e15", "1e16", "9007199254740991.0", "9007199254740992.0", "9007199254740993.0", "1e-4", "9.99999999e-5", "1e-999"}),
	)
}

// python is what json.dumps writes of a value that encoding/json decoded with UseNumber,
// as testdata/grainhash.py asks it to, slowly and from nothing that the package uses.
func python(v any) string {
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.SortFunc(names, func(a, b string) int { return slices.Compare([]rune(a), []rune(b)) })
		for i, name := range names {
			names[i] = python(name) + ":" + python(v[name])
		}
		return "{" + strings.Join(names, ",") + "}"
	case []any:
		texts := make([]string, len(v))
		for i, e := range v {
			texts[i] = python(e)
		}
		return "[" + strings.Join(texts, ",") + "]"
	case string:
		short := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}
		text := ""
		for _, r := range v {
			switch {
			case short[r] != "":
				text += short[r]
			case r < ' ':
				text += fmt.Sprintf(`\u%04x`, r)
			default:
				text += string(r)
			}
		}
		return `"` + text + `"`
	case json.Number:
		return pythonNumber(string(v))
	}
	return fmt.Sprint(map[any]string{nil: "null", true: "true", false: "false"}[v])
}

// pythonNumber lays out the digits of a number as float_repr_style short does: CPython's
// format_float_short with the code r.
func pythonNumber(text string) string {
	if n, ok := new(big.Int).SetString(text, 10); ok {
		return n.String()
	}
	f, _ := strconv.ParseFloat(text, 64)
	exact := new(big.Float).SetFloat64(f)
	if n, accuracy := exact.Int(nil); accuracy == big.Exact && n.CmpAbs(big.NewInt(1<<53)) < 0 {
		return n.String()
	}
	sign, digits := "", strconv.FormatFloat(f, 'e', -1, 64)
	if f < 0 {
		sign, digits = "-", digits[1:]
	}
	digits, exponent, _ := strings.Cut(digits, "e")
	digits = strings.Replace(digits, ".", "", 1)
	point, _ := strconv.Atoi(exponent)
	point++ // before which digit it stands
	switch {
	case point <= -4 || point > 16:
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		return fmt.Sprintf("%s%se%+03d", sign, digits, point-1)
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + digits
	case point >= len(digits):
		return sign + digits + strings.Repeat("0", point-len(digits)) + ".0"
	}
	return sign + digits[:point] + "." + digits[point:]
}

// TestGrainHashOracle: however a grain is written, its hash is that of what Python would
// make of it.
func TestGrainHashOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fields := map[string]any{"tool_name": "t" + rapid.String().Draw(t, "tool"), "input": grainObject(3).Draw(t, "input")}
		for name, v := range grainObject(1).Draw(t, "extra") {
			if list, ok := v.([]any); v != nil && v != "" && !(ok && len(list) == 0) {
				fields["x-"+name] = v
			}
		}
		written := untidy(t, fields)
		if content := grainJSON(2).Draw(t, "content"); content != nil && content != "" {
			written = written[:strings.LastIndexByte(written, '}')] + `,"content":` + untidy(t, content) + "}"
			fields["content"] = content
			if _, ok := content.(string); !ok {
				fields["content"] = python(content)
			}
		}
		g, err := jsonl.ParseGrain([]byte(written))
		if err != nil {
			t.Fatal(err)
		}
		got, _ := g.MarshalJSON()
		want := python(fields)
		if sum := sha256.Sum256([]byte(want)); string(got) != want || g.Hash() != hex.EncodeToString(sum[:]) {
			t.Fatalf("canonical\n%s\nwant\n%s", got, want)
		}
		again, err := jsonl.ParseGrain(got)
		if err != nil || again.Hash() != g.Hash() {
			t.Fatalf("%s: of what was hashed another hash: %v", got, err)
		}
	})
}

// TestGrainHashNothing: what says nothing is not hashed, whoever made the grain, and of
// members of one name the last counts.
func TestGrainHashNothing(t *testing.T) {
	for extra, same := range map[string]string{
		`{"n":null}`: "", `{}`: "", `{"n":""}`: "", `{"n":[ ]}`: "", `{"a":1,"n":null}`: `{"a":1}`, `{"related_to":null}`: "",
		`{"o":{"a":1,"a":2}}`: `{"o":{"a":2}}`, `{"a":"\ud800x"}`: `{"a":"\ufffdx"}`, `{"a":1e999}`: `{"a":1e999}`,
	} {
		a, b := jsonl.Grain{ToolName: "t", Extra: json.RawMessage(extra)}, jsonl.Grain{ToolName: "t", Extra: json.RawMessage(same)}
		if a.Hash() != b.Hash() || a.Validate() != nil {
			text, _ := a.MarshalJSON()
			t.Errorf("%s is hashed as %s: %v", extra, text, a.Validate())
		}
	}
}

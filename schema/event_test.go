package schema_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/schema"
)

// goldens returns testdata/<type>.json for every event type: the lines another
// implementation of the protocol can test itself against.
func goldens(t testing.TB) map[schema.Type][]byte {
	t.Helper()
	lines := map[schema.Type][]byte{}
	for _, typ := range schema.Types() {
		line, err := os.ReadFile(filepath.Join("testdata", string(typ)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		lines[typ] = bytes.TrimSuffix(line, []byte("\n"))
	}
	return lines
}

func TestGoldensRoundTripByteIdentical(t *testing.T) {
	seen := map[string]bool{}
	for typ, line := range goldens(t) {
		e, err := schema.Decode(line)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if e.EventType != typ {
			t.Errorf("testdata/%s.json holds a %s", typ, e.EventType)
		}
		if err := e.Validate(); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		if got := e.AppendJSON(nil); !bytes.Equal(got, line) {
			t.Errorf("%s:\n got %s\nwant %s", typ, got, line)
		}
		for name := range schema.Fields(line) {
			seen[name] = true
		}
	}
	for _, f := range fields() {
		if !seen[f.name] {
			t.Errorf("no golden has a %s", f.name)
		}
	}
	if files, _ := filepath.Glob("testdata/*.json"); len(files) != len(schema.Types()) {
		t.Errorf("%d goldens for %d types", len(files), len(schema.Types()))
	}
}

// field is one field of Event, as its struct tag names it.
type field struct {
	name      string
	omitempty bool
	index     int
	typ       reflect.Type
}

func fields() []field {
	var list []field
	typ := reflect.TypeFor[schema.Event]()
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		list = append(list, field{name, options == "omitempty", i, typ.Field(i).Type})
	}
	return list
}

// sample is a value of a field that no other field's sample equals as JSON of the
// same kind, so that two fields written under each other's name are noticed.
func sample(t testing.TB, f field) reflect.Value {
	v := reflect.New(f.typ).Elem()
	switch f.typ {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1795301459, 852438717).UTC()))
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(`{"` + f.name + `":1}`))
	case reflect.TypeFor[[]string]():
		v.Set(reflect.ValueOf([]string{f.name, `q"`}))
	case reflect.TypeFor[map[string]int]():
		v.Set(reflect.ValueOf(map[string]int{"b": 2, f.name: 1}))
	case reflect.TypeFor[*int64]():
		n := int64(f.index)
		v.Set(reflect.ValueOf(&n))
	case reflect.TypeFor[*float64]():
		n := float64(f.index) + 0.5
		v.Set(reflect.ValueOf(&n))
	default:
		switch f.typ.Kind() {
		case reflect.String:
			v.SetString("the " + f.name)
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(f.index) + 1)
		case reflect.Bool:
			v.SetBool(true)
		default:
			t.Fatalf("%s: no sample of a %s: extend the test", f.name, f.typ)
		}
	}
	return v
}

func TestAppendJSONFollowsTheStructTags(t *testing.T) {
	var full schema.Event
	for _, f := range fields() {
		if f.name == "" {
			t.Fatalf("field %d has no json tag", f.index)
		}
		reflect.ValueOf(&full).Elem().Field(f.index).Set(sample(t, f))
	}
	line := full.AppendJSON(nil)
	var names []string
	for name := range schema.Fields(line) {
		names = append(names, name)
	}
	var want []string
	for _, f := range fields() {
		want = append(want, f.name)
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("members, in order (-tags +AppendJSON):\n%s", diff)
	}
	var byTags plain
	if err := json.Unmarshal(line, &byTags); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full, schema.Event(byTags)); diff != "" {
		t.Errorf("values under their tags (-event +encoding/json):\n%s", diff)
	}

	var names0 []string
	for name := range schema.Fields((&schema.Event{}).AppendJSON(nil)) {
		names0 = append(names0, name)
	}
	var required []string
	for _, f := range fields() {
		if !f.omitempty {
			required = append(required, f.name)
		}
	}
	if diff := cmp.Diff(required, names0); diff != "" {
		t.Errorf("members of the zero event (-tags without omitempty +AppendJSON):\n%s", diff)
	}
}

func TestDecodeNamesTheFieldOfTheWrongType(t *testing.T) {
	line := goldens(t)[schema.ToolEnd]
	for _, f := range fields() {
		wrong := `[[1]]`
		if f.typ == reflect.TypeFor[json.RawMessage]() {
			if f.name == "tool_input" || f.name == "result" {
				continue // any JSON value
			}
			wrong = `"text"`
		}
		_, err := schema.Decode([]byte(`{"` + f.name + `":` + wrong + `,` + string(line[1:])))
		if err == nil || !strings.Contains(err.Error(), f.name+":") {
			t.Errorf("%s of type %s: error %v, want one that names the field", f.name, wrong, err)
		}
	}
	for _, line := range []string{``, `null`, `[]`, `"x"`, `{`, `{"v":1}}`, `{"v":1} x`} {
		if _, err := schema.Decode([]byte(line)); err == nil {
			t.Errorf("Decode(%q) has no error", line)
		}
	}
}

func TestDecodedEventOutlivesItsLine(t *testing.T) {
	for typ, line := range goldens(t) {
		buf := bytes.Clone(line)
		e, err := schema.Decode(buf)
		if err != nil {
			t.Fatal(err)
		}
		for i := range buf {
			buf[i] = '#'
		}
		if got := e.AppendJSON(nil); !bytes.Equal(got, line) {
			t.Errorf("%s aliases its line: %s", typ, got)
		}
	}
}

func TestDecodeIgnoresANewerWritersMembers(t *testing.T) {
	line := goldens(t)[schema.Message]
	e, err := schema.Decode([]byte(`{"of_tomorrow":{"a":[1]},` + string(line[1:])))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.AppendJSON(nil); !bytes.Equal(got, line) {
		t.Errorf("got %s", got)
	}
}

func TestNumbersJSONCannotHoldAreLeftOut(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		e := schema.Event{DurationMS: &f, CostUSD: &f}
		if line := e.AppendJSON(nil); !json.Valid(line) || bytes.Contains(line, []byte("duration_ms")) {
			t.Errorf("%v: %s", f, line)
		}
	}
}

func TestEncodingJSONAgrees(t *testing.T) {
	for typ, line := range goldens(t) {
		var e schema.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		got, err := json.Marshal(struct{ E schema.Event }{e})
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		var back struct{ E schema.Event }
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if diff := cmp.Diff(e, back.E); diff != "" {
			t.Errorf("%s: %s", typ, diff)
		}
	}
}

func TestDecodeOfAppendJSONIsTheEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := randomEvent(t)
		line := e.AppendJSON([]byte("prefix"))[len("prefix"):]
		got, err := schema.Decode(line)
		if err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Fatalf("-event +decoded:\n%s", diff)
		}
		if bytes.IndexByte(line, '\n') >= 0 {
			t.Fatalf("a newline in %q", line)
		}
	})
}

func TestTimeLayoutOrdersAsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nanos := rapid.Int64Range(0, math.MaxInt64)
		zones := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 5*3600+1800)})
		a := time.Unix(0, nanos.Draw(t, "a")).In(zones.Draw(t, "za"))
		b := time.Unix(0, nanos.Draw(t, "b")).In(zones.Draw(t, "zb"))
		if got := strings.Compare(schema.FormatTime(a), schema.FormatTime(b)); got != a.Compare(b) {
			t.Fatalf("%s and %s compare %d, the times %d", schema.FormatTime(a), schema.FormatTime(b), got, a.Compare(b))
		}
	})
}

// randomEvent draws an event that decodes to itself: any field set or not, strings
// of any valid UTF-8. It need not be valid.
func randomEvent(t *rapid.T) schema.Event {
	var e schema.Event
	v := reflect.ValueOf(&e).Elem()
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"a\n\r\t\"\\b", "\u2028\x00\x1f\x7f", "漢字 😀 </script>", "\ufffd"}))
	raw := rapid.SampledFrom([]string{`{}`, `{"a":[1,{"b":"\n"}],"a":2.50}`, `{ "spaced" : true }`})
	for _, f := range fields() {
		if f.omitempty && rapid.Bool().Draw(t, f.name+" absent") {
			continue
		}
		switch field := v.Field(f.index); f.typ {
		case reflect.TypeFor[time.Time]():
			field.Set(reflect.ValueOf(time.Unix(0, rapid.Int64Min(0).Draw(t, f.name)).UTC()))
		case reflect.TypeFor[json.RawMessage]():
			field.SetBytes([]byte(raw.Draw(t, f.name)))
		case reflect.TypeFor[[]string]():
			field.Set(reflect.ValueOf(rapid.SliceOfN(text, 1, 3).Draw(t, f.name)))
		case reflect.TypeFor[map[string]int]():
			field.Set(reflect.ValueOf(rapid.MapOfN(text, rapid.Int(), 1, 3).Draw(t, f.name)))
		case reflect.TypeFor[*int64]():
			n := rapid.Int64().Draw(t, f.name)
			field.Set(reflect.ValueOf(&n))
		case reflect.TypeFor[*float64]():
			n := rapid.Float64().Filter(func(n float64) bool { return !math.IsNaN(n) && !math.IsInf(n, 0) }).Draw(t, f.name)
			field.Set(reflect.ValueOf(&n))
		default:
			switch f.typ.Kind() {
			case reflect.String:
				field.SetString(text.Draw(t, f.name))
			case reflect.Int, reflect.Int64:
				field.SetInt(rapid.Int64().Draw(t, f.name))
			case reflect.Bool:
				field.SetBool(rapid.Bool().Draw(t, f.name))
			}
		}
	}
	return e
}

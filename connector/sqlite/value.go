package sqlite

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// encode gives a property's value as a column of kind k holds it. own is what a
// column of kind self holds as 1.
func encode(k kind, v any, own string) any {
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		switch {
		case k == text:
			return v
		case k == self && x == own:
			return one
		case k == self:
			return v
		case k == hexID:
			if b, ok := packHex(x); ok {
				return b
			}
			return v
		}
	case int64:
		if k == integer {
			return v
		}
	case float64:
		if k == real && !math.IsNaN(x) { // SQLite takes NaN for NULL
			return v
		}
	case bool:
		if k == boolean && x {
			return one
		} else if k == boolean {
			return zero
		}
	case graph.Time:
		if k == instant {
			return int64(x)
		}
	}
	return foreign(v)
}

// foreign holds a value of another type than its column is for.
func foreign(v any) []byte {
	b := appendValue([]byte{'j'}, v)
	if len(b) == 16 {
		b = append(b, ' ') // 16 bytes are an id
	}
	return b
}

// decode is the reverse of encode.
func decode(k kind, v any, own string) any {
	switch x := v.(type) {
	case []byte:
		if k == hexID && len(x) == 16 {
			return hex.EncodeToString(x)
		}
		if len(x) == 0 {
			return nil
		}
		return parseValue([]byte(strings.TrimRight(string(x[1:]), " ")))
	case int64:
		switch k {
		case boolean:
			return x != 0
		case instant:
			return graph.Time(x)
		case self:
			return own
		case real:
			return float64(x)
		}
	}
	return v
}

// appendProps encodes properties as one JSON object: what people can query with
// SQLite's own functions, and what gives every value back with its type.
func appendProps(dst []byte, props []graph.Prop) []byte {
	dst = append(dst, '{')
	for _, p := range props {
		if p.Value == nil {
			continue
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = schema.AppendString(dst, p.Name)
		dst = append(dst, ':')
		dst = appendValue(dst, p.Value)
	}
	return append(dst, '}')
}

// moreColumn is what appendProps made as a column holds it: NULL where there is nothing.
func moreColumn(b []byte) any {
	if len(b) == len(`{}`) {
		return nil
	}
	return string(b)
}

// decodeProps is the reverse of appendProps and moreColumn.
func decodeProps(v any) (props []graph.Prop) {
	s, _ := v.(string)
	for name, raw := range schema.Fields([]byte(s)) {
		props = append(props, graph.Prop{Name: name, Value: parseValue(raw)})
	}
	return props
}

// appendValue encodes one value. A float always has a point or an exponent, so
// that it does not come back as an integer.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		if utf8.ValidString(v) {
			return schema.AppendString(dst, v)
		}
		return fmt.Appendf(dst, `{"b":"%s"}`, base64.StdEncoding.EncodeToString([]byte(v)))
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Appendf(dst, `{"f":"%v"}`, v)
		}
		n := len(dst)
		dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
		if !strings.ContainsAny(string(dst[n:]), ".e") {
			dst = append(dst, ".0"...)
		}
		return dst
	case bool:
		return strconv.AppendBool(dst, v)
	case graph.Time:
		return fmt.Appendf(dst, `{"t":%d}`, int64(v))
	}
	return append(dst, "null"...)
}

// parseValue is the reverse of appendValue; nil is what it cannot read.
func parseValue(raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case '"':
		return schema.Unquote(raw)
	case 't', 'f':
		return raw[0] == 't'
	case '{':
		for k, v := range schema.Fields(raw) {
			return parseWrapped(k, v)
		}
		return nil
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return f
	}
	return nil
}

func parseWrapped(k string, v []byte) any {
	switch k {
	case "t":
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return graph.Time(n)
		}
	case "f":
		if f, err := strconv.ParseFloat(schema.Unquote(v), 64); err == nil {
			return f
		}
	case "b":
		if b, err := base64.StdEncoding.DecodeString(schema.Unquote(v)); err == nil {
			return string(b)
		}
	}
	return nil
}

// merge sets the registers of new in old, which is changed; nil removes one.
func merge(old, new []graph.Prop) []graph.Prop {
next:
	for _, p := range new {
		for i := range old {
			if old[i].Name == p.Name {
				old[i].Value = p.Value
				continue next
			}
		}
		old = append(old, p)
	}
	return old
}

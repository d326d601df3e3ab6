package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/schema"
)

// The media types of what is posted. Lines of JSON have none that is registered: these
// are the ones in use.
func jsonTypes() []string { return []string{"application/json"} }

func lineTypes() []string {
	return []string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
}

// mediaType returns the media type of a body, which is one of those that are allowed.
func mediaType(r *http.Request, allowed []string) (string, error) {
	said := r.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(said)
	if err != nil || !slices.Contains(allowed, kind) {
		return "", &problem{status: http.StatusUnsupportedMediaType,
			Message: fmt.Sprintf("the Content-Type is %q: send %s", said, strings.Join(allowed, " or "))}
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", &problem{status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("the charset is %q: send UTF-8", charset)}
	}
	return kind, nil
}

// readBody reads what was sent, decompressed, as far as there is room for it.
func readBody(w http.ResponseWriter, r *http.Request, longest int64, held *guest) ([]byte, error) {
	var from io.Reader = http.MaxBytesReader(w, r.Body, longest)
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "", "identity":
	case "gzip":
		unzip, err := gzip.NewReader(from)
		if err != nil {
			return nil, unreadable(err, longest)
		}
		from = unzip
	default:
		return nil, &problem{status: http.StatusUnsupportedMediaType, Message: fmt.Sprintf("the Content-Encoding is %q: send gzip, or none", coding)}
	}
	var b bytes.Buffer // grows with what came: what a client says will come costs it nothing
	b.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead)
	if _, err := b.ReadFrom(held.reader(io.LimitReader(from, longest+1))); err != nil {
		return nil, unreadable(err, longest)
	}
	text := bytes.TrimPrefix(b.Bytes(), []byte("\xef\xbb\xbf"))
	switch {
	case int64(b.Len()) > longest:
		return nil, tooLong(longest)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, bad("the body is empty")
	case !utf8.Valid(text):
		p := bad("the body is not UTF-8")
		p.Line, p.Column = place(text, validPrefix(text))
		return nil, p
	}
	return text, nil
}

func tooLong(longest int64) *problem {
	return &problem{status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the body is longer than %d bytes: send it in parts", longest)}
}

func unreadable(err error, longest int64) error {
	var long *http.MaxBytesError
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &long):
		return tooLong(longest)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &problem{status: http.StatusRequestTimeout, Message: "the body did not arrive in time"}
	}
	return bad("the body cannot be read: %v", err)
}

// value is a body that is one JSON value.
type value struct {
	// flat is as a line has it: between its tokens there is no newline. Each byte is where
	// it was.
	flat []byte
	sent []byte
}

func oneValue(body []byte) (v value, err error) {
	v.sent = body
	if !schema.Valid(v.sent) {
		return v, invalid(v.sent)
	}
	if v.flat = v.sent; !bytes.ContainsAny(v.sent, "\r\n") {
		return v, nil
	}
	v.flat = bytes.Clone(v.sent)
	for i, c := range v.flat {
		if c == '\n' || c == '\r' {
			v.flat[i] = ' '
		}
	}
	return v, nil
}

// wrong says where in the body an error of a decoder is, which saw one line.
func (v *value) wrong(err error) error {
	var e *jsonl.LineError
	if !errors.As(err, &e) {
		return err
	}
	p := wrongLine(err, 0)
	if p.Column > 0 {
		p.Line, p.Column = place(v.sent, p.Column-1)
	}
	return p
}

// onceEach refuses an object in which a member is there twice: one of them would be lost.
func onceEach(object []byte) error {
	there := map[string]bool{}
	for name := range schema.Fields(object) {
		if there[name] {
			p := bad("%s: is there twice", name)
			p.Field = name
			return p
		}
		there[name] = true
	}
	return nil
}

// fewItems refuses an array of more items than a request may have; what is no array is
// the decoder's.
func fewItems(list []byte) error {
	n := 0
	if len(list) > mostItems { // each has a byte
		for range schema.Elements(list) {
			if n++; n > mostItems {
				return tooMany()
			}
		}
	}
	return nil
}

func tooMany() *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, Message: fmt.Sprintf("there are more than %d items: send them in parts", mostItems)}
}

// invalid says where a body stops being one JSON value.
func invalid(text []byte) *problem {
	var v json.RawMessage
	err := json.Unmarshal(text, &v)
	var wrong *json.SyntaxError
	if !errors.As(err, &wrong) {
		return bad("the body is not one JSON value")
	}
	p := bad("the body is not one JSON value: %v", wrong)
	p.Line, p.Column = place(text, int(max(wrong.Offset, 1))-1)
	return p
}

// place returns the line and column of a byte, from 1.
func place(text []byte, at int) (line int64, column int) {
	before := text[:min(at, len(text))]
	return int64(bytes.Count(before, []byte{'\n'})) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// validPrefix returns where text stops being UTF-8.
func validPrefix(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

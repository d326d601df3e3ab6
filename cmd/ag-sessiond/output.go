package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/actiongraph/actiongraph/internal/render"
)

// defaultWidth is the width of what is no terminal and says no width.
const defaultWidth = 120

// styleOf says what w can show. Colours need a terminal and no NO_COLOR; COLUMNS
// overrides the width of a terminal, and gives one to a pipe.
func styleOf(w io.Writer, env func(string) string) render.Style {
	s := render.Style{Width: defaultWidth, UTF8: utf8Locale(env)}
	if n := terminalWidth(w); n > 0 {
		s.Width = n
		s.Color = env("NO_COLOR") == "" && env("TERM") != "dumb"
	}
	if n, err := strconv.Atoi(env("COLUMNS")); err == nil && n > 0 {
		s.Width = max(n, 20)
	}
	return s
}

// terminalWidth is the columns of the terminal behind w, or 0 if there is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n <= 0 {
		return 80
	}
	return max(n, 20)
}

// utf8Locale reports whether marks may be other than ASCII. A locale that is not
// set at all, as in containers, says nothing against it.
func utf8Locale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			v = strings.ToUpper(v)
			return strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8") || runtime.GOOS == "windows"
		}
	}
	return true
}

// printJSON writes v, indented.
func (a *app) printJSON(v any) error {
	text, err := encodeJSON(v, "  ")
	if err != nil {
		return err
	}
	_, err = a.out.Write(text)
	return err
}

// encodeJSON is v as JSON with a newline. Characters that a terminal acts on are escaped,
// so that the value stays the same and looking at it is safe; no others are, for people
// read it.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return escapeControls(b.Bytes()), nil
}

// escapeControls writes DEL, the C1 controls and format characters of JSON text as
// \u escapes; they can only be inside strings.
func escapeControls(b []byte) []byte {
	acted := func(r rune) bool {
		return r == 0x7f || r >= 0x80 && r < 0xa0 || r > 0xa0 && r < 0x10000 && unicode.Is(unicode.Cf, r)
	}
	if bytes.IndexFunc(b, acted) < 0 {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if acted(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, b[i:i+n]...)
		}
		i += n
	}
	return out
}

// list makes an empty list of a nil one: JSON lists are never null.
func list[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

package connector

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// NewLogger returns a logger that writes one JSON object a line with the fourth
// seed's field names: timestamp (RFC 3339, UTC), level (DEBUG, INFO, WARNING,
// ERROR, CRITICAL), logger, message, and where they apply session_id, event_id, reason,
// error_type and error_message: docs/logs.md is the schema. A logger that is made of it for
// one package has the context field logger; else a line has name. With console it writes the
// same for people, times local.
//
// zerolog keeps names and the spelling of levels in package variables, which a
// library must not set for the program that embeds it; so the head of each line is
// replaced as it is written.
func NewLogger(w io.Writer, name string, console bool) zerolog.Logger {
	if console {
		w = zerolog.ConsoleWriter{
			Out: w, NoColor: true,
			PartsOrder:    []string{"timestamp", "level", "logger", "message"},
			FieldsExclude: []string{"timestamp", "logger"},
			FormatLevel:   func(v any) string { return fmt.Sprintf("%-8v", v) },
			FormatPartValueByName: func(v any, name string) string {
				if t, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v)); name == "timestamp" && err == nil {
					return t.Local().Format("15:04:05.000")
				}
				return fmt.Sprint(v)
			},
		}
	}
	return zerolog.New(zerolog.SyncWriter(seedNames{w, name}))
}

// seedNames writes zerolog's lines under the seed's names.
type seedNames struct {
	w      io.Writer
	logger string
}

func (s seedNames) Write(p []byte) (int, error) { return s.WriteLevel(zerolog.NoLevel, p) }

func (s seedNames) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	rest, _ := strings.CutPrefix(string(p), "{")
	if head := `"level":"` + level.String() + `",`; level != zerolog.NoLevel {
		rest, _ = strings.CutPrefix(rest, head)
	}
	if !strings.HasPrefix(rest, `"logger":`) {
		rest = fmt.Sprintf(`"logger":%q,%s`, s.logger, rest)
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	_, err := fmt.Fprintf(s.w, "{\"timestamp\":%q,\"level\":%q,%s", now, seedLevel(level), rest)
	return len(p), err
}

func seedLevel(level zerolog.Level) string {
	switch level {
	case zerolog.TraceLevel, zerolog.DebugLevel:
		return "DEBUG"
	case zerolog.WarnLevel:
		return "WARNING"
	case zerolog.ErrorLevel:
		return "ERROR"
	case zerolog.FatalLevel, zerolog.PanicLevel:
		return "CRITICAL"
	}
	return "INFO"
}

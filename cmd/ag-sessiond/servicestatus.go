package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/service"
)

// serviceReport is what service status says: the unit, and the daemon, whoever began it.
type serviceReport struct {
	Service service.State     `json:"service"`
	Running bool              `json:"running"`
	Holder  *connector.Holder `json:"holder,omitempty"` // of the daemon's lock
	Lingers *bool             `json:"lingers,omitempty"`
	Log     string            `json:"log"`
}

func (a *app) serviceStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Is the service installed, and does the daemon run?",
		Long: `Say what the session manager knows of the service, and who has the daemon's lock of the
home: that may be a daemon that was begun by hand. How its stores are is what ag-sessiond
status says.`,
		Example: `  ag-sessiond service status
  ag-sessiond service status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serviceStatus(cmd.Context()) },
	}
}

func (a *app) serviceStatus(ctx context.Context) error {
	s, err := a.service()
	if err != nil {
		return err
	}
	r := serviceReport{Log: s.logPath()}
	if r.Service, err = s.State(ctx, s.home); err != nil {
		return unavailable(err)
	}
	by, held, err := connector.HeldBy(s.home, connector.RunLock)
	if err != nil {
		return unavailable(err)
	}
	if r.Running = held; held {
		r.Holder = &by
	}
	if lingers, known := s.Lingers(ctx); known && r.Service.Installed {
		r.Lingers = &lingers
	}
	if a.json {
		return a.printJSON(r)
	}
	a.printService(r)
	return nil
}

func (a *app) printService(r serviceReport) {
	field := func(name, format string, args ...any) { a.printf("%-10s"+format+"\n", append([]any{name}, args...)...) }
	u := r.Service
	if !u.Installed {
		field("service", "not installed: ag-sessiond service install")
	} else {
		words := []string{cmp.Or(u.Active, "not known how it is")}
		if !u.Enabled && u.Active != "" {
			words = append(words, "does not begin at login: ag-sessiond service install")
		}
		if u.Detail != "" {
			words = append(words, u.Detail)
		}
		field("service", "%s, of %s: %s", u.Name, u.Manager, render.OneLine(strings.Join(words, ", ")))
		field("unit", "%s", render.OneLine(u.Path))
		switch {
		case u.BinaryGone:
			field("binary", "%s is gone: ag-sessiond service install", render.OneLine(u.Daemon.Binary))
		case !u.Current:
			field("binary", "%s; the unit is not as service install writes it now", render.OneLine(u.Daemon.Binary))
		default:
			field("binary", "%s", render.OneLine(u.Daemon.Binary))
		}
	}
	switch {
	case r.Holder == nil:
		field("daemon", "not running")
	case u.Installed && u.PID != 0 && u.PID != r.Holder.PID:
		field("daemon", "running, but not by the service: %s", render.OneLine(r.Holder.String()))
	default:
		field("daemon", "running: %s", render.OneLine(r.Holder.String()))
	}
	if r.Lingers != nil && !*r.Lingers {
		field("linger", "no: it ends with your last logout (loginctl enable-linger)")
	}
	field("log", "%s", render.OneLine(r.Log))
}

func (a *app) serviceLogsCmd() *cobra.Command {
	var n int
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "What the daemon logged",
		Long: `Print the last lines of ag-sessiond.log in the home, where the daemon of the service logs,
and of the file before it, where that is needed. Times are local; --json prints the lines as
they are, whose times are UTC.`,
		Example: `  ag-sessiond service logs
  ag-sessiond service logs -n 200
  ag-sessiond service logs -f`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n < 0 {
				return usagef("-n %d: give a number of lines, 0 or more", n)
			}
			s, err := a.service()
			if err != nil {
				return err
			}
			return s.logs(cmd.Context(), n, follow)
		},
	}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many lines")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "print what is logged from now on, too, until a signal")
	return cmd
}

func (s ofService) logs(ctx context.Context, n int, follow bool) error {
	print := func(line []byte) error {
		text := string(line)
		if !s.json {
			text = logLine(text)
		}
		s.printf("%s\n", render.OneLine(text))
		if follow {
			return s.out.Flush()
		}
		return nil
	}
	err := service.TailLog(ctx, s.logPath(), n, follow, print)
	if errors.Is(err, fs.ErrNotExist) {
		s.note("there is no %s yet: the daemon of a service writes it (ag-sessiond service install), or ag-sessiond run --log-file", s.logPath())
		return nil
	}
	return unavailable(err)
}

// logLine is a line of the log for people; one that is no JSON is as it is.
func logLine(line string) string {
	var b strings.Builder
	w := zerolog.ConsoleWriter{
		Out: &b, NoColor: true, PartsOrder: []string{"timestamp", "level", "message"}, FieldsExclude: []string{"timestamp", "logger"},
		FormatLevel: func(v any) string { return fmt.Sprintf("%-8v", v) },
		FormatPartValueByName: func(v any, name string) string {
			if t, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v)); name == "timestamp" && err == nil {
				return t.Local().Format("2006-01-02 15:04:05.000")
			}
			return fmt.Sprint(v)
		},
	}
	if _, err := io.WriteString(w, line); err != nil {
		return line
	}
	return strings.TrimSpace(b.String())
}

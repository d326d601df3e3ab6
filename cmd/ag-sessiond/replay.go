package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/replay"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) replayCmd() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay [SESSION]",
		Short: "Rebuild the graph from the journal, in this store or another",
		Long: `Fold the journal's events again, of one session or of --all, and hold the result against
what a store has. By default what differs is repaired: the session is taken out of the store
and folded into it anew, and what was repaired is printed. --strict repairs nothing: it stops
at the first divergence and names the event, the node and the property, what the journal
says and what the store has. Exit code 3 says that there is one.

The store is the embedded one, with --graph a Neo4j or Memgraph by URL or name, or a file of
its own, which is made where it is missing: sqlite:///graph.db is below the working
directory, sqlite:////tmp/graph.db is not. Two replays of one journal make the same graph.

With --until the sessions are put there as they were at a point, into a store that has
nothing of them yet.`,
		Example: `  ag-sessiond replay latest --strict
  ag-sessiond replay --all --graph sqlite:////tmp/again.db
  ag-sessiond replay c8813339 --until 10m --graph sqlite:///then.db`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.session = args[0]
			}
			if err := o.check(cmd, args); err != nil {
				return err
			}
			if a.events != "" && len(a.graphs) == 0 {
				return usagef("--events: name the store that is to be made of them, --graph sqlite:///FILE for instance")
			}
			return a.replay(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.all, "all", false, "all sessions of the journal")
	flags.BoolVar(&o.strict, "strict", false, "only compare, and stop at the first divergence")
	flags.BoolVar(&o.permissive, "permissive", false, "repair what diverges, and say so (the default)")
	flags.StringVar(&o.until, "until", "", "as it was at this `point`: "+pointHelp)
	a.graphFlag(cmd, "replay into this `URL`: sqlite:///FILE, or a Neo4j or Memgraph, also by its name in config.toml")
	a.eventsFlag(cmd)
	return cmd
}

type replayOptions struct {
	session                 string
	all, strict, permissive bool
	until                   string
}

func (o *replayOptions) check(cmd *cobra.Command, args []string) error {
	until := cmd.Flags().Changed("until")
	switch {
	case len(args) == 0 && !o.all:
		return usagef("name a SESSION, or say --all")
	case len(args) > 0 && o.all:
		return usagef("SESSION and --all: give one of them")
	case o.strict && o.permissive:
		return usagef("--strict and --permissive: give one of them")
	case until && o.until == "":
		return usagef("--until is empty: give %s", pointHelp)
	case until && o.strict:
		return usagef("--strict compares with what a store has up to now: without --until")
	}
	return nil
}

// borrowFor has the sessions that are replayed at hand, where --events names others than the
// home's.
func (a *app) borrowFor(ctx context.Context, o *replayOptions) error {
	if o.all {
		_, err := a.borrow(ctx)
		return err
	}
	ids, err := a.borrow(ctx, o.session)
	if err == nil {
		o.session = ids[0]
	}
	return err
}

// replayed is what replay prints as JSON.
type replayed struct {
	Target     string      `json:"target"`
	Mode       string      `json:"mode"` // strict or permissive
	Until      string      `json:"until,omitempty"`
	Sessions   int         `json:"sessions"`
	Events     int         `json:"events"` // folded into the target
	Repaired   []repaired  `json:"repaired"`
	Divergence *divergence `json:"divergence"`
}

// repaired is a session that was folded again.
type repaired struct {
	SessionID   string         `json:"session_id"`
	Differences []graph.Change `json:"differences"`
}

// divergence is what strict replay stops at.
type divergence struct {
	SessionID string     `json:"session_id"`
	EventID   string     `json:"event_id,omitempty"`
	Timestamp *time.Time `json:"timestamp,omitempty"` // the event's
	Node      string     `json:"node"`                // or edge
	Property  string     `json:"property,omitempty"`
	Journal   any        `json:"journal"`
	Target    any        `json:"target"`
	Cure      string     `json:"cure"`
}

func (a *app) replay(ctx context.Context, o replayOptions) error {
	if err := a.borrowFor(ctx, &o); err != nil {
		return err
	}
	j, err := a.ownJournal()
	if err != nil {
		return unavailable(err)
	}
	if o.session != "" {
		if o.session, err = recordedSession(j, o.session); err != nil {
			return err
		}
	}
	target, err := a.openTarget(ctx, j, o)
	if err != nil {
		return err
	}
	defer target.close()
	if a.env("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(verifyMemory))
	}
	switch {
	case o.strict:
		return a.replayStrict(ctx, target, o)
	case o.until != "":
		return a.replayUntil(ctx, target, o)
	}
	return a.replayRepairing(ctx, target, o)
}

// replayStrict compares, and changes nothing.
func (a *app) replayStrict(ctx context.Context, target *replayTarget, o replayOptions) error {
	at, lag, err := a.settled(ctx, target.Journal, target.Store, o.session)
	if err != nil {
		return interruptedOr(ctx, unavailable(err))
	}
	out := replayed{Target: target.Name, Mode: "strict", Sessions: len(at), Repaired: []repaired{}}
	if o.session != "" {
		out.Sessions = 1
	}
	d, failed := replay.Check(ctx, target.Journal, target.Store, o.session)
	if d != nil {
		out.Divergence = asDivergence(d, target)
	}
	if a.json {
		err = a.printJSON(out)
	} else {
		a.printStrict(out, lag)
	}
	switch {
	case err != nil:
		return err
	case d != nil:
		return &exitError{code: exitDiffers, err: errcode.With(errcode.StoreDiffers, fmt.Errorf("session %s diverges", d.Session))}
	case failed != nil:
		return failed
	}
	return lag.failure(target.replay)
}

func asDivergence(d *replay.Divergence, target *replayTarget) *divergence {
	out := &divergence{
		SessionID: d.Session, EventID: d.Event.Event(), Node: d.What, Property: d.Field, Journal: plain(d.A), Target: plain(d.B),
		Cure: target.replay + " repairs it",
	}
	if t := d.Event.Time(); !t.IsZero() {
		out.Timestamp = &t
	}
	if d.Field == "journal" && d.Event.End() {
		out.Cure = "the store has what is left of it: restore the file, or forget the session"
	}
	return out
}

func (a *app) printStrict(out replayed, lag storeLag) {
	d := out.Divergence
	if d == nil {
		a.printVerified(verifyReport{Identical: out.Sessions > 0, Sessions: out.Sessions, Behind: lag})
		return
	}
	event := "no event"
	if d.EventID != "" {
		event = d.EventID + ", " + render.Time(*d.Timestamp)
	}
	for _, line := range [][2]string{
		{"session", d.SessionID}, {"event", event}, {"node", d.Node}, {"property", d.Property},
		{"journal", said(d.Journal)}, {"target", said(d.Target)}, {"cure", d.Cure},
	} {
		if line[1] != "" {
			a.printf("%s\n", a.style.Truncate(fmt.Sprintf("%-10s%s", line[0], render.OneLine(line[1])), max(a.style.Width, 200)))
		}
	}
}

// plain is a property's value as JSON has it elsewhere.
func plain(v any) any {
	if t, ok := v.(graph.Time); ok {
		return t.String()
	}
	return v
}

// said is a value for people.
func said(v any) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprint(v)
}

// replayUntil puts sessions into a store as they were.
func (a *app) replayUntil(ctx context.Context, target *replayTarget, o replayOptions) error {
	out := replayed{Target: target.Name, Mode: "permissive", Until: o.until, Repaired: []repaired{}}
	points, err := a.pointsOf(ctx, target.Journal, o)
	if err != nil {
		return err
	}
	for _, p := range points {
		ops, err := replay.Until(ctx, target.Journal, target.Store, p.session, p.at)
		if err != nil {
			return err
		}
		if ops > 0 {
			out.Sessions++
		}
	}
	if out.Sessions == 0 {
		return errcode.With(errcode.SessionNotThen, fmt.Errorf("nothing was recorded by then, of %s", cmp.Or(o.session, "any session")))
	}
	if a.json {
		return a.printJSON(out)
	}
	a.printf("%s as at %s in %s\n", render.Plural(int64(out.Sessions), "session"), pointText(points[0].at), target.Name)
	return nil
}

// replayRepairing folds what differs again.
func (a *app) replayRepairing(ctx context.Context, target *replayTarget, o replayOptions) error {
	if o.session != "" {
		target.Only = []string{o.session}
	}
	progress, done := a.progressBar(ctx)
	report, err := replay.Repair(ctx, &target.Replica, progress)
	done()
	out := replayed{Target: target.Name, Mode: "permissive", Sessions: report.Sessions, Events: report.Sync.Events, Repaired: []repaired{}}
	for _, r := range report.Repaired {
		out.Repaired = append(out.Repaired, repaired{r.Session, r.Changes})
	}
	if err == nil {
		err = a.recordDiverged(ctx, target, out.Repaired)
	}
	if a.json {
		if e := a.printJSON(out); e != nil {
			return e
		}
		return err
	}
	for _, r := range out.Repaired {
		a.printf("repaired session %s, %s:\n", r.SessionID, render.Plural(int64(len(r.Differences)), "difference"))
		for _, c := range r.Differences[:min(len(r.Differences), 3)] {
			a.printf("  %s\n", a.style.Truncate(render.OneLine(c.String()), max(a.style.Width-2, 200)))
		}
	}
	if ctx.Err() == nil {
		a.printf("%s replayed into %s, %s folded\n", render.Plural(int64(out.Sessions), "session"), target.Name, render.Plural(int64(out.Events), "event"))
	}
	return err
}

// recordDiverged records of each session that somebody had changed it in the store, which has
// these events then, too.
func (a *app) recordDiverged(ctx context.Context, target *replayTarget, sessions []repaired) error {
	if a.borrowed != "" || len(sessions) == 0 {
		return nil
	}
	failures := connector.Failures{Journal: target.Journal, Log: zerolog.Nop()}
	for _, r := range sessions {
		if len(r.Differences) == 0 {
			continue
		}
		f := failure.New(r.SessionID, failure.StoreDiverged, target.Name, schema.FormatTime(a.now().UTC()))
		f.Store = target.Name
		first := r.Differences[0] // without its values, which may be texts
		f.Message = strings.TrimSpace(fmt.Sprintf("%s from the journal, the first: %s %s", render.Plural(int64(len(r.Differences)), "difference"), first.What, first.Field))
		failures.Record(f, "a store was not what the journal says; it was folded again")
	}
	_, err := target.Sync(ctx, nil)
	return interruptedOr(ctx, err)
}

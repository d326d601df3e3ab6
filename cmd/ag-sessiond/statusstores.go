package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

// answerPatience is how long status waits for a database; all are asked at once.
const answerPatience = 2 * time.Second

// daemonSays is what a running daemon says of itself.
func (a *app) daemonSays(s statusReport) (said daemonReport) {
	if s.Daemon.Running {
		var err error
		if said, err = readReport(s.Home); err != nil {
			a.note("%v", err)
		}
	}
	return said
}

// storeHealths says how each store is, the embedded one first: what the daemon keeps
// as the daemon says, the others by asking them.
func (a *app) storeHealths(ctx context.Context, j *journal.Journal, s statusReport, said daemonReport, graphs []config.Graph) []storeHealth {
	all := slices.Clone(said.Stores)
	if len(all) == 0 || all[0].Name != embedded {
		all = slices.Insert(all, 0, embeddedHealth(ctx, j, s.Store))
	}
	var others []config.Graph
	for _, g := range graphs {
		kept := slices.ContainsFunc(all, func(h storeHealth) bool { return h.URL == g.URL && h.Database == g.Database })
		if !kept {
			others = append(others, g)
		}
	}
	return append(all, a.askGraphs(ctx, j, others)...)
}

func embeddedHealth(ctx context.Context, j *journal.Journal, s storeStatus) storeHealth {
	h := storeHealth{Name: embedded, URL: s.Path, Kind: "SQLite"}
	h.Position = s.Position
	if s.Error != "" {
		h.State, h.LastError = connector.Down, s.Error
		return h
	}
	var store connector.Store = noPositions{}
	if s.Exists && !s.Older {
		opened, err := sqlite.Open(s.Path, sqlite.Options{ReadOnly: true})
		if err != nil {
			h.State, h.LastError = connector.Down, err.Error()
			return h
		}
		defer opened.Close()
		store = opened
	}
	h.ask(ctx, j, store)
	return h
}

// ask fills in what a store answers.
func (h *storeHealth) ask(ctx context.Context, j *journal.Journal, store connector.Store) {
	positions, err := store.Positions(ctx, j.ID())
	if err == nil {
		h.Position = 0
		for _, p := range positions {
			h.Position += p.Offset
		}
		var lag connector.EventLag
		if lag, err = connector.BehindPositions(ctx, j, positions); err == nil {
			h.Lag, h.State = &lag, connector.Up
		}
	}
	if err != nil {
		h.failed(ctx, err)
	}
}

func (h *storeHealth) failed(ctx context.Context, err error) {
	said := err.Error()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // which a driver's error need not be, and hides
		said = fmt.Sprintf("no answer within %v", answerPatience)
	}
	h.State, h.LastError, h.LastErrorAt = connector.Down, said, time.Now().UTC()
}

// askGraphs asks databases, all at once, how far they are with a journal. Where there
// is no journal, j is nil, they only say what they are.
func (a *app) askGraphs(ctx context.Context, j *journal.Journal, graphs []config.Graph) []storeHealth {
	out := make([]storeHealth, len(graphs))
	var asking sync.WaitGroup
	for i, g := range graphs {
		asking.Go(func() { out[i] = a.askGraph(ctx, j, g) })
	}
	asking.Wait()
	return out
}

func (a *app) askGraph(ctx context.Context, j *journal.Journal, g config.Graph) storeHealth {
	h := storeHealth{Name: g.Name, URL: g.URL, Database: g.Database}
	store, err := a.open(ctx, g, true, zerolog.Nop())
	if err != nil {
		h.failed(ctx, err)
		return h
	}
	defer store.Close()
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	info, err := store.Info(ctx)
	if err != nil {
		h.failed(ctx, err)
		return h
	}
	h.Kind, h.Version, h.State = info.Product, info.Version, connector.Up
	if j != nil {
		h.ask(ctx, j, store)
	}
	return h
}

// printGraph prints one graph database below the embedded store's lines.
func (a *app) printGraph(h storeHealth, s statusReport) {
	field := func(name, format string, args ...any) { a.printf("%-10s"+format+"\n", append([]any{name}, args...)...) }
	what := []string{render.OneLine(h.Name)}
	if h.URL != h.Name {
		what = append(what, render.OneLine(h.URL))
	}
	if h.Database != "" {
		what = append(what, "database "+render.OneLine(h.Database))
	}
	if h.Kind != "" {
		what = append(what, render.OneLine(h.Kind+" "+h.Version))
	}
	a.printf("\n")
	field("graph", "%s", strings.Join(what, ", "))
	state := strings.ReplaceAll(string(h.State), "_", " ")
	switch {
	case h.Kept && !h.Since.IsZero():
		field("state", "%s since %s", state, render.Time(h.Since))
	case h.Kept:
		field("state", "%s", state)
	case s.Daemon.Running:
		field("state", "%s; the daemon does not keep it", state)
	default:
		field("state", "%s; no daemon keeps it in step", state)
	}
	switch {
	case h.Lag != nil:
		field("position", "%s of %s of journal", render.Bytes(h.Position), render.Bytes(s.Journal.Bytes))
		if h.Lag.Bytes == 0 {
			field("behind", "nothing")
		} else {
			field("behind", "%s of journal in %s; %s", render.Bytes(h.Lag.Bytes), render.Plural(int64(h.Lag.Sessions), "session"), lagEvents(*h.Lag))
		}
	case h.State != "" && s.Journal.ID == "":
		field("behind", "nothing: there is no journal in %s", render.OneLine(s.Home))
	case h.State != "":
		field("behind", "not known until it answers")
	}
	a.printActivity(h)
}

// printActivity prints what the daemon knows of a store beside its position.
func (a *app) printActivity(h storeHealth) {
	if h.Kept {
		a.printf("%-10s%.1f events/s over the last minute", "rate", h.Rate)
		if !h.AppliedAt.IsZero() {
			a.printf(", the last %s", render.Time(h.AppliedAt))
		}
		a.printf("\n")
	}
	if h.Refused > 0 {
		a.printf("%-10s%s; the others are in step\n", "refused", render.Plural(int64(h.Refused), "session"))
	}
	if h.LastError == "" {
		return
	}
	when := ""
	if h.Kept {
		when = render.Time(h.LastErrorAt) + " "
	}
	if h.State != connector.Down && h.Refused == 0 {
		when += "(over) "
	}
	a.printf("%-10s%s%s\n", "error", when, render.OneLine(h.LastError))
}

func lagEvents(l connector.EventLag) string {
	events := render.Plural(l.Events, "event")
	if l.Estimated {
		events = "about " + events
	}
	return events
}

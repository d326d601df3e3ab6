package main

import (
	"context"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // for --timezone where the machine has no zones, as Windows

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/usage"
)

// usageOptions are the flags of usage.
type usageOptions struct {
	usage.Options
	filter                       graph.UsageFilter
	since, until, zone, sessions string
}

func (a *app) usageCmd() *cobra.Command {
	var o usageOptions
	by := reports()
	cmd := &cobra.Command{
		Use:   "usage [BY]",
		Short: "Tokens and what they cost, by day, week, month, session, model, project or agent",
		Long: `Add up the tokens of model calls and what they cost, by day or by what BY names:
` + strings.Join(by, ", ") + `.

Each API message is counted once a session, however many lines of however many transcripts
repeat it. What a fork copied, or a session that an old version resumed under a new id, is
that of the session that had it first.

Costs are what the record states, else computed from list prices (` + "`--json`" + ` has their date and
source); [prices] in config.toml comes before these. A model without a price has no cost.
≥ marks a lower bound: of some call no final figures are known, or no price, or a
subagent's file is missing.

--since and --until count whole quarters of an hour. Weeks begin on Monday.`,
		Example: `  ag-sessiond usage
  ag-sessiond usage month --breakdown
  ag-sessiond usage project --since 30d --agents
  ag-sessiond usage session --since today --json`,
		ValidArgs: by,
		Args:      cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(a, args); err != nil {
				return err
			}
			if !cmd.Flags().Changed("session") {
				return a.read(cmd.Context(), func(ctx context.Context, r connector.Reader) error { return a.usage(ctx, r, o) })
			}
			return a.readSession(cmd.Context(), o.sessions, func(ctx context.Context, r connector.Reader, s graph.SessionRow) error {
				o.filter.Session = s.SessionID
				return a.usage(ctx, r, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.since, "since", "", "calls since this `time`: "+whenHelp)
	flags.StringVar(&o.until, "until", "", "calls until this `time`; a day is included")
	flags.StringVarP(&o.zone, "timezone", "z", "", "the `zone` of days, --since and --until, like UTC or Europe/Berlin (default: this machine's)")
	flags.BoolVarP(&o.Models, "breakdown", "b", false, "show the models of each line apart")
	flags.BoolVar(&o.Agents, "agents", false, "show the main thread and each type of subagent apart")
	flags.StringVar(&o.sessions, "session", "", "of this `SESSION` only")
	_ = cmd.RegisterFlagCompletionFunc("session", a.completeSession)
	return cmd
}

// reports are the words that BY may be.
func reports() (by []string) {
	for _, b := range usage.Reports() {
		by = append(by, string(b))
	}
	return by
}

// parse reads BY and the flags about time.
func (o *usageOptions) parse(a *app, args []string) (err error) {
	o.By = usage.Day
	if len(args) > 0 {
		if !slices.Contains(reports(), args[0]) {
			return usagef("BY %q: want one of %s", args[0], strings.Join(reports(), ", "))
		}
		o.By = usage.By(args[0])
	}
	// Rows of agents are apart already, as are those of models.
	o.Agents = o.Agents && o.By != usage.Agent
	o.Models = o.Models && o.By != usage.Model
	now := a.now()
	if o.zone != "" {
		zone, err := time.LoadLocation(o.zone)
		if err != nil {
			return usagef("--timezone %q is not known here: say one like UTC or Europe/Berlin", o.zone)
		}
		now = now.In(zone)
	}
	o.filter.Zone = now.Location()
	if o.filter.Since, err = parseWhen(o.since, now, false); err != nil {
		return err
	}
	o.filter.Until, err = parseWhen(o.until, now, true)
	return err
}

func (a *app) usage(ctx context.Context, r connector.Reader, o usageOptions) error {
	prices, err := a.prices()
	if err != nil {
		return err
	}
	rows, err := r.Usage(ctx, o.Filter(o.filter))
	if err != nil {
		return err
	}
	report := usage.Make(rows, o.Options, &prices)
	if a.json {
		return a.printJSON(report)
	}
	if len(report.Rows) == 0 {
		a.nothing("no tokens are recorded there and then: they are in transcripts, which ag-sessiond import reads")
		return nil
	}
	if err := a.usageTable(report, o); err != nil {
		return err
	}
	a.usageNotes(report)
	return nil
}

// prices are the list prices, and before them those of the configuration.
func (a *app) prices() (usage.Table, error) {
	c, err := a.config()
	if err != nil {
		return usage.Table{}, err
	}
	return pricesOf(c, a.configPath())
}

// pricesOf are the configuration's prices, and after them the list prices.
func pricesOf(c config.Config, path string) (usage.Table, error) {
	t, err := usage.ListPrices()
	if err != nil {
		return t, err
	}
	var own []usage.Price
	for _, name := range c.Models() {
		own = append(own, ownPrice(name, c.Prices[name], path))
	}
	t.Prices = slices.Concat(own, t.Prices)
	return t, nil
}

func ownPrice(name string, p config.Price, source string) usage.Price {
	return usage.Price{Models: []string{name}, Fast: *p.Fast, Source: source, Rates: usage.Rates{Input: *p.Input, Output: *p.Output,
		CacheRead: *p.CacheRead, CacheWrite5m: *p.CacheWrite5m, CacheWrite1h: *p.CacheWrite1h}}
}

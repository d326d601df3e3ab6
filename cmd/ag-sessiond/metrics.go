package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/errcode"
)

func (a *app) metricsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "metrics",
		Short: "What the running daemon counts and measures",
		Long: `Print what the running daemon counts and measures, in Prometheus' text format, or as JSON:
events, writes of stores and how far they are behind, calls of tools and models, tokens and
cost. The daemon is asked through its socket.

Counters began at zero with the daemon. For a Prometheus server give the daemon a port,
[metrics] listen in config.toml; docs/metrics.md says what each figure means, and deploy/ has a
dashboard and alerts.`,
		Example: `  ag-sessiond metrics
  ag-sessiond metrics | grep cost_usd
  ag-sessiond metrics --json
  ag-sessiond config set metrics.listen 127.0.0.1:9464`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.metrics(cmd.Context()) },
	}
}

func (a *app) metrics(ctx context.Context) error {
	home, err := a.homeDir()
	if err != nil {
		return err
	}
	c, err := a.config()
	if err != nil {
		return err
	}
	if !daemonState(home).Running {
		return unavailable(errcode.With(errcode.DaemonNotRunning, fmt.Errorf("no daemon runs for %s, and only a daemon counts: ag-sessiond service install has one run by itself, ag-sessiond run runs one here", home)))
	}
	if c.API.Socket == config.None {
		return unavailable(errcode.With(errcode.DaemonNotRunning, fmt.Errorf("the daemon has no socket: ag-sessiond config unset api.socket gives it one")))
	}
	text, err := api.Get(ctx, cmp.Or(c.API.Socket, filepath.Join(home, api.SocketFile)), "/metrics")
	if err != nil {
		return unavailable(errcode.With(errcode.DaemonNotRunning, fmt.Errorf("ask the daemon: %w (one that was run with --no-api, or that only begins, has no socket)", err)))
	}
	if !a.json {
		_, err = a.out.Write(text)
		return err
	}
	families, err := metricFamilies(text)
	if err != nil {
		return err
	}
	return a.printJSON(families)
}

// metricFamily is a metric with all that is known of it.
type metricFamily struct {
	Name    string         `json:"name"`
	Type    string         `json:"type"`
	Help    string         `json:"help"`
	Samples []metricSample `json:"samples"`
}

// metricSample is one of its values: of a histogram the sum, the count, and how many were at most
// as great as each bound.
type metricSample struct {
	Labels  map[string]string `json:"labels"`
	Value   *float64          `json:"value,omitempty"`
	Sum     *float64          `json:"sum,omitempty"`
	Count   *uint64           `json:"count,omitempty"`
	Buckets map[string]uint64 `json:"buckets,omitempty"`
}

// metricFamilies reads Prometheus' text format.
func metricFamilies(text []byte) ([]metricFamily, error) {
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the daemon's metrics: %w", err)
	}
	out := []metricFamily{}
	for name, f := range parsed {
		kind := map[dto.MetricType]string{dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge",
			dto.MetricType_HISTOGRAM: "histogram", dto.MetricType_SUMMARY: "summary"}[f.GetType()]
		family := metricFamily{Name: name, Type: cmp.Or(kind, "untyped"), Help: f.GetHelp(), Samples: []metricSample{}}
		for _, m := range f.GetMetric() {
			family.Samples = append(family.Samples, sampleOf(m))
		}
		out = append(out, family)
	}
	slices.SortFunc(out, func(a, b metricFamily) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

func sampleOf(m *dto.Metric) metricSample {
	s := metricSample{Labels: map[string]string{}}
	for _, l := range m.GetLabel() {
		s.Labels[l.GetName()] = l.GetValue()
	}
	switch {
	case m.GetHistogram() != nil:
		h := m.GetHistogram()
		s.Sum, s.Count, s.Buckets = new(h.GetSampleSum()), new(h.GetSampleCount()), map[string]uint64{}
		for _, b := range h.GetBucket() {
			s.Buckets[strconv.FormatFloat(b.GetUpperBound(), 'g', -1, 64)] = b.GetCumulativeCount()
		}
	case m.GetSummary() != nil:
		s.Sum, s.Count = new(m.GetSummary().GetSampleSum()), new(m.GetSummary().GetSampleCount())
	default:
		v := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue() // it is one of them
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			s.Value = &v
		}
	}
	return s
}

// Package prometheus keeps the figures of package metrics for a Prometheus server to read.
package prometheus

import (
	"bytes"
	"fmt"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/actiongraph/actiongraph/metrics"
)

// ContentType is that of Text.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Metrics is a metrics.Metrics. It has a registry of its own: nothing of the program that it
// is part of is in there, but what the Go runtime and the system say of the process (go_… and
// process_…), as every dashboard of a Go program expects it.
type Metrics struct {
	registry   *client.Registry
	counters   map[metrics.Name]*client.CounterVec
	histograms map[metrics.Name]*client.HistogramVec
	gauges     map[metrics.Name]*client.GaugeVec
}

// New returns metrics that are all at zero.
func New() *Metrics {
	m := &Metrics{
		registry: client.NewRegistry(), counters: map[metrics.Name]*client.CounterVec{},
		histograms: map[metrics.Name]*client.HistogramVec{}, gauges: map[metrics.Name]*client.GaugeVec{},
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, d := range metrics.All() {
		switch name := string(d.Name); d.Kind {
		case metrics.Counter:
			v := client.NewCounterVec(client.CounterOpts{Name: name, Help: d.Help}, d.Labels)
			if m.counters[d.Name] = v; len(d.Labels) == 0 {
				v.WithLabelValues() // a rate needs a zero to begin with
			}
			m.registry.MustRegister(v)
		case metrics.Histogram:
			v := client.NewHistogramVec(client.HistogramOpts{Name: name, Help: d.Help, Buckets: d.Buckets}, d.Labels)
			m.histograms[d.Name] = v
			m.registry.MustRegister(v)
		case metrics.Gauge:
			v := client.NewGaugeVec(client.GaugeOpts{Name: name, Help: d.Help}, d.Labels)
			m.gauges[d.Name] = v
			m.registry.MustRegister(v)
		}
	}
	return m
}

// Counter adds to a counter.
func (m *Metrics) Counter(name metrics.Name, add float64, labels ...string) {
	m.counters[name].WithLabelValues(labels...).Add(add)
}

// Histogram adds one observation.
func (m *Metrics) Histogram(name metrics.Name, value float64, labels ...string) {
	m.histograms[name].WithLabelValues(labels...).Observe(value)
}

// Gauge sets a gauge, or removes it.
func (m *Metrics) Gauge(name metrics.Name, value float64, labels ...string) {
	if metrics.IsGone(value) {
		m.gauges[name].DeleteLabelValues(labels...)
		return
	}
	m.gauges[name].WithLabelValues(labels...).Set(value)
}

// Text is all of it in Prometheus' text format. What cannot be collected is left out, and
// named by the error.
func (m *Metrics) Text() ([]byte, error) {
	families, err := m.registry.Gather()
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			return nil, fmt.Errorf("write the metrics: %w", err)
		}
	}
	if err != nil {
		err = fmt.Errorf("collect the metrics: %w", err)
	}
	return b.Bytes(), err
}

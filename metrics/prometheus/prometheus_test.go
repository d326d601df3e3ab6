package prometheus_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/actiongraph/actiongraph/metrics"
	"github.com/actiongraph/actiongraph/metrics/prometheus"
)

// fill gives each metric a value, of labels that need to be escaped.
func fill(m metrics.Metrics) {
	for _, d := range metrics.All() {
		labels := make([]string, len(d.Labels))
		for i := range labels {
			labels[i] = "a \"b\"\nc\\d"
		}
		switch d.Kind {
		case metrics.Counter:
			m.Counter(d.Name, 1.5, labels...)
		case metrics.Histogram:
			m.Histogram(d.Name, .3, labels...)
		case metrics.Gauge:
			m.Gauge(d.Name, -2, labels...)
		}
	}
}

func text(t *testing.T, m *prometheus.Metrics) string {
	t.Helper()
	b, err := m.Text()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What is written is what a Prometheus reads, and what promtool check metrics finds nothing
// wrong with.
func TestText(t *testing.T) {
	m := prometheus.New()
	fill(m)
	out := text(t, m)
	problems, err := promlint.New(strings.NewReader(out)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "actiongraph_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range metrics.All() {
		f := families[string(d.Name)]
		if f == nil {
			t.Errorf("%s is missing", d.Name)
			continue
		}
		if f.GetHelp() != d.Help || !strings.EqualFold(f.GetType().String(), string(d.Kind)) || len(f.GetMetric()) != 1 {
			t.Errorf("%s: %v", d.Name, f)
		}
		for _, l := range f.GetMetric()[0].GetLabel() {
			if l.GetValue() != "a \"b\"\nc\\d" {
				t.Errorf("%s: label %v", d.Name, l)
			}
		}
	}
	for _, want := range []string{"go_goroutines", "process_start_time_seconds"} {
		if families[want] == nil {
			t.Errorf("%s is missing", want)
		}
	}
}

// A gauge that is gone is not there any more, and one that never was does no harm.
func TestGone(t *testing.T) {
	m := prometheus.New()
	m.Gauge(metrics.SessionLast, 7, "s-1")
	m.Gauge(metrics.SessionLast, 8, "s-2")
	m.Gauge(metrics.SessionLast, metrics.Gone(), "s-1")
	m.Gauge(metrics.SessionLast, metrics.Gone(), "s-3")
	m.Gauge(metrics.SessionsRunning, math.Inf(1))
	out := text(t, m)
	if strings.Contains(out, "s-1") || strings.Contains(out, "s-3") || !strings.Contains(out, `{session="s-2"} 8`) || strings.Contains(out, "NaN") {
		t.Error(out)
	}
}

// Two daemons in one process, as in tests, have nothing in common.
func TestNothingShared(t *testing.T) {
	one, two := prometheus.New(), prometheus.New()
	one.Counter(metrics.Torn, 3)
	if out := text(t, two); !strings.Contains(out, "actiongraph_journal_torn_lines_total 0\n") || bytes.Contains([]byte(out), []byte("lines_total 3")) {
		t.Error("what one counts the other has")
	}
}

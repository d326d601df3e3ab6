// Package metrics names what a daemon counts and measures, for whoever watches over it: an
// interface of three methods, and the closed list of what is said through it. docs/metrics.md
// says of each what it means; a name, once there, is a promise to dashboards.
//
// # Cardinality
//
// No counter and no histogram has a label whose values grow with what is recorded: none is a
// session, a file or a text. A session is a label of gauges of sessions that run, and these go
// when it ends. Names of tools, MCP servers and models are an agent's own words: Names makes
// a bounded set of them.
package metrics

import "math"

// Metrics takes figures. Labels are the values of the metric's labels, in the order of its
// Metric. Implementations are safe for use by any number of goroutines, and take what is not
// in the list, or has too few labels, for a bug: they may panic.
type Metrics interface {
	// Counter adds to a counter. It only grows.
	Counter(name Name, add float64, labels ...string)
	// Histogram adds one observation.
	Histogram(name Name, value float64, labels ...string)
	// Gauge sets a gauge; Gone removes it.
	Gauge(name Name, value float64, labels ...string)
}

// Gone is the value of a gauge of something that is no more, like a session that ended.
func Gone() float64 { return math.NaN() }

// IsGone reports whether a gauge is to be removed.
func IsGone(value float64) bool { return math.IsNaN(value) }

// Nop takes figures and does nothing.
type Nop struct{}

// Counter does nothing.
func (Nop) Counter(Name, float64, ...string) {}

// Histogram does nothing.
func (Nop) Histogram(Name, float64, ...string) {}

// Gauge does nothing.
func (Nop) Gauge(Name, float64, ...string) {}

package metrics

// Name is the name of a metric.
type Name string

// Kind is what a metric is.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Histogram Kind = "histogram"
	Gauge     Kind = "gauge"
)

// Metric describes one metric.
type Metric struct {
	Name    Name
	Kind    Kind
	Help    string
	Labels  []string
	Buckets []float64 // upper bounds, of a histogram
}

// The metrics.
const (
	Events     Name = "actiongraph_events_total"
	EventDelay Name = "actiongraph_event_delay_seconds"
	Torn       Name = "actiongraph_journal_torn_lines_total"
	Refused    Name = "actiongraph_journal_refused_lines_total"
	Failures   Name = "actiongraph_failures_total"

	ModelCalls    Name = "actiongraph_model_calls_total"
	UnpricedCalls Name = "actiongraph_model_calls_unpriced_total"
	Tokens        Name = "actiongraph_tokens_total"
	Cost          Name = "actiongraph_cost_usd_total"

	ToolCalls    Name = "actiongraph_tool_calls_total"
	ToolFailures Name = "actiongraph_tool_failures_total"
	ToolDuration Name = "actiongraph_tool_duration_seconds"

	Folds         Name = "actiongraph_fold_seconds"
	Writes        Name = "actiongraph_store_write_seconds"
	Batches       Name = "actiongraph_store_batches_total"
	Ops           Name = "actiongraph_store_ops_total"
	Resets        Name = "actiongraph_store_resets_total"
	Retries       Name = "actiongraph_store_retries_total"
	StoreFailures Name = "actiongraph_store_failures_total"

	StoreUp         Name = "actiongraph_store_up"
	StorePosition   Name = "actiongraph_store_position_bytes"
	StoreLag        Name = "actiongraph_store_lag_bytes"
	StoreLagTime    Name = "actiongraph_store_lag_seconds"
	RefusedSessions Name = "actiongraph_store_refused_sessions"

	JournalBytes    Name = "actiongraph_journal_bytes"
	JournalSessions Name = "actiongraph_journal_sessions"
	LeftOut         Name = "actiongraph_left_out"
	DiskFree        Name = "actiongraph_disk_free_bytes"

	SessionsRunning Name = "actiongraph_sessions_running"
	SessionLast     Name = "actiongraph_session_last_event_timestamp_seconds"
	SessionTokens   Name = "actiongraph_session_tokens"

	IntakeFiles  Name = "actiongraph_intake_files"
	IntakeQueue  Name = "actiongraph_intake_queue_bytes"
	IntakeFailed Name = "actiongraph_intake_failing_files"
	IntakeLines  Name = "actiongraph_intake_lines_total"
	IntakeBroken Name = "actiongraph_intake_broken_lines_total"

	Requests        Name = "actiongraph_api_requests_total"
	RequestsRefused Name = "actiongraph_api_requests_refused_total"
	RequestsFailed  Name = "actiongraph_api_requests_failed_total"

	ConfigValid Name = "actiongraph_config_valid"
	BuildInfo   Name = "actiongraph_build_info"
)

// All lists every metric.
func All() []Metric {
	counter := func(name Name, help string, labels ...string) Metric {
		return Metric{Name: name, Kind: Counter, Help: help, Labels: labels}
	}
	gauge := func(name Name, help string, labels ...string) Metric {
		return Metric{Name: name, Kind: Gauge, Help: help, Labels: labels}
	}
	histogram := func(name Name, help string, buckets []float64, labels ...string) Metric {
		return Metric{Name: name, Kind: Histogram, Help: help, Labels: labels, Buckets: buckets}
	}
	return []Metric{
		counter(Events, "Events of the journal that the embedded store took.", "event_type", "origin"),
		histogram(EventDelay, "Time from the receipt of a hook's event to when the embedded store had it.", delays()),
		counter(Torn, "Lines of the journal that are no records, as a killed writer leaves them."),
		counter(Refused, "Lines of the journal that are JSON and no events."),
		counter(Failures, "Failures of the recording itself, of those that are events.", "reason"),

		counter(ModelCalls, "Calls of models, each API message once.", "model"),
		counter(UnpricedCalls, "Calls of models of which no price is known: their cost is missing.", "model"),
		counter(Tokens, "Tokens of calls of models.", "model", "kind"),
		counter(Cost, "Cost of calls of models in US dollars, as stated or by the price table.", "model"),

		counter(ToolCalls, "Calls of tools.", "tool"),
		counter(ToolFailures, "Calls of tools that did not complete.", "tool", "reason"),
		histogram(ToolDuration, "How long calls of tools took.", durations(), "tool"),

		histogram(Folds, "Time to fold what was new of one session, waits for the store included.", works(), "store"),
		histogram(Writes, "Time of one transaction of a store.", works(), "store"),
		counter(Batches, "Batches of sessions' changes that a store took.", "store"),
		counter(Ops, "Writes of nodes and edges that a store took.", "store"),
		counter(Resets, "Sessions that were folded again from their beginning.", "store"),
		counter(Retries, "Times that a store was tried again after a failure.", "store"),
		counter(StoreFailures, "Failures of a store.", "store", "reason"),

		gauge(StoreUp, "1 if the store has what there is or is catching up, 0 if it is down or has not answered yet.", "store"),
		gauge(StorePosition, "Bytes of the journal that the store has.", "store"),
		gauge(StoreLag, "Bytes of the journal that the store does not have.", "store"),
		gauge(StoreLagTime, "Time since the store last had everything; 0 while it has.", "store"),
		gauge(RefusedSessions, "Sessions that the store refuses while it takes the others.", "store"),

		gauge(JournalBytes, "Bytes of the journal, as if nothing were packed."),
		gauge(JournalSessions, "Sessions of the journal."),
		gauge(LeftOut, "What the policy left out so far: sessions as a whole, sessions of which a part, events of both.", "what"),
		gauge(DiskFree, "Bytes that are free on the disk of the home."),

		gauge(SessionsRunning, "Sessions that have begun and not ended."),
		gauge(SessionLast, "When the latest event of a running session was, in seconds since 1970.", "session"),
		gauge(SessionTokens, "Tokens of a running session, but for those of caches.", "session", "kind"),

		gauge(IntakeFiles, "Files that the reader follows.", "reader"),
		gauge(IntakeQueue, "Bytes of them that are not read yet.", "reader"),
		gauge(IntakeFailed, "Files that cannot be read now.", "reader"),
		counter(IntakeLines, "Lines that the reader read.", "reader"),
		counter(IntakeBroken, "Lines that the reader could make nothing of.", "reader"),

		counter(Requests, "Requests to the HTTP API."),
		counter(RequestsRefused, "Requests that were answered with a 4xx."),
		counter(RequestsFailed, "Requests that were answered with a 5xx."),

		gauge(ConfigValid, "1 if config.toml is in force as it is, 0 if it is broken and that of before is."),
		gauge(BuildInfo, "1; its labels say what is running.", "version", "goversion"),
	}
}

// Buckets, in seconds. An event of a session that runs is in the store within milliseconds; a
// day is that of a machine that slept.
func delays() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 600, 3600, 86400}
}

// A tool reads a file in milliseconds, and runs a build for ten minutes.
func durations() []float64 {
	return []float64{.005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800}
}

func works() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120}
}

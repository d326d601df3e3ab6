// Package jsonl turns the JSON lines that agent frameworks write into events: audit dumps
// and the TraceEvents they are made of (the third seed), Action grains (the second), and
// the Event Protocol itself. Bytes and a clock in, events out: it does no I/O and uses
// the standard library only, as ag-hook links it.
package jsonl

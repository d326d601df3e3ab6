// Package schema is the Event Protocol: the one format in which every runtime's
// activity is recorded, whatever produced it.
//
// An Event is a fact. It is written once, never changed, and its EventID names
// the fact rather than the record: two records with one id are one fact, and of
// two records that disagree on a property the lesser by (Timestamp, bytes)
// stands. One line of a journal is one Event.
//
// Field names are the Event Protocol's own (event_type, session_id, tool_name,
// …; the seed document actions-graph and its reference implementation), extended
// by what the other seeds need (actor, caused_by, frame_id, prompt_hash) and by
// what recording a live agent needs (agent_id, origin, seq, input_hash, extra).
//
// The package uses the standard library only, does no I/O and reads no clock:
// ag-hook links it on the agent's path.
package schema

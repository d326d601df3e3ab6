// Package diff compares two sessions: a fork with its parent, or two recordings of one task.
//
// # The five counts
//
// They are of facts and of the graph, as Log has them, ancestors' included:
//
//	shared_events        event ids that are in both histories
//	a_only_events,       event ids that are in one of them; what is about the record is none, as
//	b_only_events        that a session is a fork: right after it was made it has nothing of its own
//	divergent_nodes      actions and agents that both graphs have, with other values
//	divergent_relations  relations between nodes that both graphs have, which only one of them
//	                     has, or with other values; what each was forked from is none
//
// Both histories are folded under one name for it, so that what they share has one key. The
// session's own node is not counted: its figures are Totals. Where no event is shared, as of
// two recordings, the nodes are what the alignment pairs: a call, its result, a message, a
// subagent is divergent where a Field of its item says so, and a relation where the partners
// of its ends do not have it, order aside.
//
// # The alignment
//
// A session is a tree: turns, in these calls, messages, errors and what else show shows, in a
// call its subagents, and so on. Siblings are paired from the top down: what is equal, from
// both ends and by what is in each list once, then what was asked for in equal words, whatever
// came of it, and what is left between these by how many words it has in common; a call only
// with one of its tool. Turns stay in order, as calls do, but for such that ran at the same
// time. What has no partner is in A or in B only. It takes time linear in the number of
// actions but for gaps without any anchor, in which what is far from the diagonal is not
// looked at.
//
// # What is no difference
//
// Two recordings of the same work never have the same ids, times and figures. Before texts
// are compared, these are replaced by one sign each:
//
//   - ids of the session, its calls, prompts and subagents; UUIDs; ids of models' vendors
//   - the session's directory, and names that programs make up in /tmp
//   - moments, and the days of the session
//   - in what commands printed, also clocks, durations, counts of tokens, ids of commits
//
// Durations, tokens and cost are told of both and make nothing different. Not compared at all
// is what show hides (what the model thought, model calls, files of instructions) and the
// runtime's notifications to the user.
//
// Sides are exchanged without a trace: the diff of B and A is that of A and B, mirrored.
package diff

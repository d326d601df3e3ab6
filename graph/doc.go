// Package graph is the pure core: facts become entities, entities become a
// property graph. The graph is a function of the set of facts; the order in which
// they arrive, and how often, does not matter.
//
// Session.Apply folds one event and returns the difference as Ops, keyed register
// writes that any store can execute without understanding them: applying a suffix
// of them again, in order, is harmless. Everything that a key, an edge or a status
// is derived from is in this package; stores never mint ids.
//
// The package does no I/O, reads no clock and has no randomness.
package graph

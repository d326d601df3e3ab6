// Package e2e holds tests of both binaries together, on real recordings, with the
// embedded store and with a real Neo4j: what is killed, cut off, wiped or hostile loses
// nothing.
package e2e

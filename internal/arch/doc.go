// Package arch holds the tests that keep the layout of ARCHITECTURE.md true: which
// package may import which, who does no I/O, what ag-hook links, how long a file
// gets, and that every platform builds.
package arch

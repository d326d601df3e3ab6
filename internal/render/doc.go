// Package render turns what a Reader answers into what a person reads: tables, the
// tree of a session, times and durations, and the dot and Mermaid forms of a graph.
//
// Everything that comes from a payload is untrusted: a prompt, a file name or a
// tool's output can hold escape sequences that move the cursor, rename the window
// or hide text. No string reaches a Style's writer but through Clean.
package render

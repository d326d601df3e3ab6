// Package watch shows what package live tells: in a terminal as a screen that Bubble Tea
// redraws (Model), elsewhere as lines (Lines).
//
// Whatever is shown comes from payloads and is cleaned by package render. The clock is a
// message like others, so that a test plays a recording step by step and compares frames.
package watch

// Package mute keeps Bubble Tea from asking the terminal for its colours.
//
// Bubble Tea 1 asks for them when the program that links it starts, whatever the program is
// about to do (its tea_init.go): every verb would write two escape sequences to the terminal
// and wait up to five seconds for an answer, which may be what the user is typing. It does not
// ask once it was told. To be told before, it has to be told while packages are initialized:
// Go does that in the order of import paths among those that are ready (since 1.21), and this
// one, which needs Lip Gloss alone, comes before github.com/charmbracelet/bubbletea.
// TestMute holds it to that.
package mute

import "github.com/charmbracelet/lipgloss"

// Told says that it was. A function named init would say no more of why this must be early.
var Told = tell()

func tell() bool {
	lipgloss.SetHasDarkBackground(true) // nothing of ours asks which it is
	return true
}

package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// table is what the run says: what was measured, what it must reach, what was
// seen, and whether that is enough.
type table [][4]string

func (t *table) add(what, reach, seen string, ok bool) {
	verdict := "no"
	if ok {
		verdict = "yes"
	}
	*t = append(*t, [4]string{what, reach, seen, verdict})
}

// skip is a row that could not be measured here.
func (t *table) skip(what, reach, why string) {
	*t = append(*t, [4]string{what, reach, "SKIP: " + why, "-"})
}

// print writes Markdown, aligned for those who read it as text.
func (t table) print(w io.Writer) {
	rows := append([][4]string{{"what", "must reach", "seen", "ok"}}, t...)
	var width [4]int
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintln(w, "|")
		if n == 0 {
			for i := range row {
				fmt.Fprintf(w, "|%s", strings.Repeat("-", width[i]+2))
			}
			fmt.Fprintln(w, "|")
		}
	}
}

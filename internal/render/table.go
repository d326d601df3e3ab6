package render

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// Column is one column of a Table.
type Column struct {
	Title string
	Right bool // numbers
	// Give lets the column shrink, to no less than this many columns, when the
	// table is wider than the terminal. 0 keeps it whole.
	Give int
	// Left takes what does not fit off the left: the end of a directory tells more
	// than its beginning.
	Left bool
	// Drop lets the whole column go: where all its cells are empty, and, the
	// smallest number first, where the table would be too wide all the same.
	Drop int
	// Paint colours a cell by its text; nil leaves it.
	Paint func(s Style, cell, padded string) string
}

// Table writes rows of text under their titles, as wide as the Style allows. Cells
// are cleaned and put on one line.
func (s Style) Table(w io.Writer, cols []Column, rows [][]string) error {
	cells := make([][]string, 0, len(rows)+1)
	titles := make([]string, len(cols))
	for i, c := range cols {
		titles[i] = c.Title
	}
	cells = append(cells, titles)
	for _, row := range rows {
		line := make([]string, len(cols))
		for i := range cols {
			line[i] = OneLine(row[i])
		}
		cells = append(cells, line)
	}
	cols, cells = s.drop(cols, cells)
	widths := s.fit(cols, cells)
	b := bufio.NewWriter(w)
	for n, line := range cells {
		b.WriteString(strings.TrimRight(s.row(cols, widths, line, n == 0), " "))
		b.WriteByte('\n')
	}
	return b.Flush()
}

func (s Style) row(cols []Column, widths []int, line []string, title bool) string {
	var b strings.Builder
	for i, cell := range line {
		if i > 0 {
			b.WriteString("  ")
		}
		text := s.Truncate(cell, widths[i])
		if cols[i].Left {
			text = s.truncateLeft(cell, widths[i])
		}
		padded := text
		if i < len(line)-1 || cols[i].Right {
			padded = pad(text, width(text), widths[i], cols[i].Right)
		}
		switch {
		case title:
			padded = s.paint(bold, padded)
		case cols[i].Paint != nil:
			padded = cols[i].Paint(s, cell, padded)
		}
		b.WriteString(padded)
	}
	return b.String()
}

func (s Style) truncateLeft(text string, n int) string {
	if over := width(text) - n; over > 0 {
		text = columns().TruncateLeft(text, over+len([]rune(s.ellipsis())), s.ellipsis())
	}
	return text
}

// drop leaves out columns that may go: the empty ones, then as many as it takes.
func (s Style) drop(cols []Column, cells [][]string) ([]Column, [][]string) {
	out := func(i int) {
		cols = slices.Delete(slices.Clone(cols), i, i+1)
		for n := range cells {
			cells[n] = slices.Delete(cells[n], i, i+1)
		}
	}
	for i := len(cols) - 1; i >= 0; i-- {
		filled := slices.ContainsFunc(cells[1:], func(line []string) bool { return line[i] != "" })
		if cols[i].Drop > 0 && !filled && len(cells) > 1 {
			out(i)
		}
	}
	for s.Width > 0 && least(cols, cells) > s.Width {
		next := -1
		for i, c := range cols {
			if c.Drop > 0 && (next < 0 || c.Drop < cols[next].Drop) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		out(next)
	}
	return cols, cells
}

// least is the width of a table whose columns gave all they can.
func least(cols []Column, cells [][]string) int {
	n := 2 * (len(cols) - 1)
	for i, c := range cols {
		widest := 0
		for _, line := range cells {
			widest = max(widest, width(line[i]))
		}
		if c.Give > 0 {
			widest = min(widest, c.Give)
		}
		n += widest
	}
	return n
}

// fit gives each column its widest cell, then takes columns from the widest of
// those that give until the row fits.
func (s Style) fit(cols []Column, cells [][]string) []int {
	widths := make([]int, len(cols))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], width(cell))
		}
	}
	if s.Width == 0 {
		return widths
	}
	over := 2 * (len(cols) - 1)
	for _, n := range widths {
		over += n
	}
	for over -= s.Width; over > 0; over-- {
		widest := -1
		for i, c := range cols {
			if c.Give > 0 && widths[i] > c.Give && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
	}
	return widths
}

// PaintStatus colours a cell that holds a status.
func PaintStatus(s Style, cell, padded string) string {
	return s.paint(statusColor(cell[strings.LastIndexByte(cell, ' ')+1:]), padded)
}

// PaintNumber colours a number that is not zero red: errors.
func PaintNumber(s Style, cell, padded string) string {
	if cell == "0" || cell == "" {
		return padded
	}
	return s.paint(red, padded)
}

// PaintDim colours what is there for copying more than for reading.
func PaintDim(s Style, _, padded string) string { return s.paint(dim, padded) }

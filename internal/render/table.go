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
	// Spare lets the whole column go as Drop does, but before any text is cut: what is
	// there for copying is not worth the room.
	Spare bool
	// Wrap breaks what does not fit into lines, rather than to cut it.
	Wrap bool
	// Paint colours a cell by its text; nil leaves it.
	Paint func(s Style, cell, padded string) string
}

// Table writes rows of text under their titles, as wide as the Style allows. Cells
// are cleaned and put on one line.
func (s Style) Table(w io.Writer, cols []Column, rows [][]string) error {
	cols, cells := s.drop(cols, titled(cols, rows))
	return s.table(w, cols, cells)
}

// Forest is a Table whose rows are the nodes of trees, each at a depth of its own: one row, then
// what hangs below it, one deeper. The first column has the branches.
func (s Style) Forest(w io.Writer, cols []Column, rows [][]string, depths []int) error {
	cells := titled(cols, rows)
	for i, branch := range s.branches(depths) {
		cells[i+1][0] = branch + cells[i+1][0]
	}
	cols, cells = s.drop(cols, cells)
	return s.table(w, cols, cells)
}

// branches are what a tree's rows begin with.
func (s Style) branches(depths []int) []string {
	out := make([]string, len(depths))
	open := map[int]bool{} // at this depth another row follows, seen from the end
	for i := len(depths) - 1; i >= 0; i-- {
		depth := depths[i]
		for d := 1; d < depth; d++ {
			if open[d] {
				out[i] += s.pick("│ ", "|  ")
			} else {
				out[i] += s.pick("  ", "   ")
			}
		}
		if depth > 0 && open[depth] {
			out[i] += s.pick("├ ", "|- ")
		} else if depth > 0 {
			out[i] += s.pick("└ ", "`- ")
		}
		open[depth] = true
		open[depth+1] = false
	}
	return out
}

func (s Style) table(w io.Writer, cols []Column, cells [][]string) error {
	widths := s.fit(cols, cells)
	b := bufio.NewWriter(w)
	for n, line := range cells {
		for _, line := range s.lines(cols, widths, line) {
			b.WriteString(strings.TrimRight(s.row(cols, widths, line, n == 0), " "))
			b.WriteByte('\n')
		}
	}
	return b.Flush()
}

// titled are the cells of a table, its titles first.
func titled(cols []Column, rows [][]string) [][]string {
	titles := make([]string, len(cols))
	for i, c := range cols {
		titles[i] = c.Title
	}
	return clean(len(cols), append([][]string{titles}, rows...))
}

// clean puts each cell on one line. It gives every row n cells.
func clean(n int, rows [][]string) [][]string {
	cells := make([][]string, len(rows))
	for r, row := range rows {
		cells[r] = make([]string, n)
		for i := range n {
			cells[r][i] = OneLine(row[i])
		}
	}
	return cells
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
	for s.Width > 0 && total(widest(cells)) > s.Width {
		i := slices.IndexFunc(cols, func(c Column) bool { return c.Spare })
		if i < 0 {
			break
		}
		out(i)
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

// widest is the width of each column's widest cell.
func widest(cells [][]string) []int {
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, cell := range line {
			widths[i] = max(widths[i], width(cell))
		}
	}
	return widths
}

// total is the width of a table whose columns have these.
func total(widths []int) int {
	n := 2 * (len(widths) - 1)
	for _, w := range widths {
		n += w
	}
	return n
}

// least is the width of a table whose columns gave all they can.
func least(cols []Column, cells [][]string) int {
	widths := widest(cells)
	for i, c := range cols {
		if c.Give > 0 {
			widths[i] = min(widths[i], c.Give)
		}
	}
	return total(widths)
}

// fit gives each column its widest cell, then takes columns from the widest of
// those that give until the row fits.
func (s Style) fit(cols []Column, cells [][]string) []int {
	widths := widest(cells)
	if s.Width == 0 {
		return widths
	}
	for over := total(widths) - s.Width; over > 0; over-- {
		next := -1
		for i, c := range cols {
			if c.Give > 0 && widths[i] > c.Give && (next < 0 || widths[i] > widths[next]) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		widths[next]--
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

package render

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// TableOrRecords is Table, and Records where a table would be wider than the Style
// although its columns gave what they can.
func (s Style) TableOrRecords(w io.Writer, cols []Column, rows [][]string) error {
	kept, cells := s.drop(cols, titled(cols, rows))
	if s.Width > 0 && least(kept, cells) > s.Width {
		return s.Records(w, cols, rows)
	}
	return s.table(w, kept, cells)
}

// Records writes rows one below another, a line a cell that is not empty, with its title
// before it and a blank line between two rows. What is too long is broken into lines.
func (s Style) Records(w io.Writer, cols []Column, rows [][]string) error {
	titles := 0
	for _, c := range cols {
		titles = max(titles, width(OneLine(c.Title)))
	}
	room := 0
	if s.Width > 0 {
		titles = min(titles, s.Width/2)
		room = s.Width - titles - 2
	}
	b := bufio.NewWriter(w)
	for n, row := range clean(len(cols), rows) {
		if n > 0 {
			b.WriteByte('\n')
		}
		for i, cell := range row {
			if cell == "" {
				continue
			}
			title := s.Truncate(OneLine(cols[i].Title), titles)
			for n, text := range wrapped(cell, room) {
				if n > 0 {
					title = ""
				}
				if cols[i].Paint != nil {
					text = cols[i].Paint(s, cell, text)
				}
				b.WriteString(s.paint(bold, pad(title, width(title), titles, false)) + "  " + text + "\n")
			}
		}
	}
	return b.Flush()
}

// lines are those of a table that one row takes: several where a cell is wrapped.
func (s Style) lines(cols []Column, widths []int, row []string) [][]string {
	out := [][]string{slices.Clone(row)}
	for i, c := range cols {
		if !c.Wrap || width(row[i]) <= widths[i] {
			continue
		}
		for n, text := range wrapped(row[i], widths[i]) {
			if n == len(out) {
				out = append(out, make([]string, len(row)))
			}
			out[n][i] = text
		}
	}
	return out
}

// wrapped breaks one line of text at blanks into lines of at most n columns; a word that
// is longer is broken. 0 is any length.
func wrapped(text string, n int) (out []string) {
	if n <= 0 || width(text) <= n {
		return []string{text}
	}
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && width(line)+1+width(word) <= n {
			line += " " + word
			continue
		}
		if line != "" {
			out = append(out, line)
		}
		for {
			head := beginning(word, n)
			if head == "" || len(head) == len(word) { // one character may be wider than the line
				break
			}
			out, word = append(out, head), word[len(head):]
		}
		line = word
	}
	return append(out, line)
}

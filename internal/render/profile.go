package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
)

// barRoom is how wide the longest bar is where lines may be of any length, and barMost
// wherever they may be longer.
const (
	barRoom = 40
	barMost = 60
)

// Histogram draws a bar for each bucket, the longest as long as there is room for.
func (s Style) Histogram(w io.Writer, buckets []graph.DurationBucket) error {
	var labels, counts []string
	var most int64
	label, count := 0, 0
	for _, b := range buckets {
		from := Millis(&b.FromMS) + " " + s.pick("–", "-")
		if b.FromMS == 0 {
			from = "<"
		}
		labels = append(labels, from+" "+Millis(&b.ToMS))
		counts = append(counts, Count(b.Count))
		most = max(most, b.Count)
		label, count = max(label, width(labels[len(labels)-1])), max(count, len(counts[len(counts)-1]))
	}
	room := barRoom
	if s.Width > 0 {
		room = max(min(s.Width-label-count-4, barMost), 1)
	}
	for i, b := range buckets {
		n := 0
		if b.Count > 0 {
			n = max(int(b.Count*int64(room)/most), 1)
		}
		line := "  " + pad(labels[i], width(labels[i]), label, true) + " " + pad(counts[i], len(counts[i]), count, true) + " " +
			s.paint(cyan, strings.Repeat(s.pick("█", "#"), n))
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// PaintWarning colours a cell that says anything.
func PaintWarning(s Style, _, padded string) string { return s.paint(yellow, padded) }

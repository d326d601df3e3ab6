// Package nearest finds what somebody probably meant who typed a name that there is not.
package nearest

import (
	"cmp"
	"slices"
	"strings"
)

// Of returns those of names that may be meant by what was typed, the likeliest first and
// at most three: those that hold it, and those that differ in a third of its letters or
// less.
func Of(typed string, names []string) (found []string) {
	dist := map[string]int{}
	for _, n := range names {
		d := Distance(typed, n)
		if typed != "" && strings.Contains(n, typed) {
			d = 0
		}
		if d <= max(1, len(typed)/3) {
			dist[n] = d
			found = append(found, n)
		}
	}
	slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(dist[a], dist[b]) })
	return found[:min(3, len(found))]
}

// maxLength bounds what Distance looks at: its cost is the product of both lengths, and
// what is typed may be a file that was pasted.
const maxLength = 64

// Distance counts the insertions, deletions and changes between two short strings; of
// long ones it looks at the beginning.
func Distance(a, b string) int {
	a, b = a[:min(len(a), maxLength)], b[:min(len(b), maxLength)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

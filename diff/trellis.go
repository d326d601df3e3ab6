package diff

import "math"

// trellis finds the best way through a table of likenesses, from one corner to the other:
// Needleman and Wunsch's, in a band around the diagonal where the table is too large.
type trellis struct {
	n, m  int
	half  int      // the width of the band on each side
	steps [][]step // by row, from the row's first column on
}

type step uint8

const (
	skipB step = iota
	skipA
	match
)

func newTrellis(n, m int) *trellis {
	t := &trellis{n: n, m: m, half: m}
	if n*m > mostCells {
		t.half = max(32, mostCells/n/2)
	}
	return t
}

// columns are the first and last of a row.
func (t *trellis) columns(i int) (first, last int) {
	return max(0, max(i-1, 0)*t.m/t.n-t.half), min(t.m, i*t.m/t.n+t.half)
}

// fill looks at every cell of the band.
func (t *trellis) fill(like func(i, j int) float32) {
	t.steps = make([][]step, t.n+1)
	var above []float32
	aboveFirst := 0
	for i := range t.n + 1 {
		first, last := t.columns(i)
		row, steps := make([]float32, last-first+1), make([]step, last-first+1)
		for j := first; j <= last; j++ {
			best, how := float32(math.Inf(-1)), skipB
			if i == 0 && j == 0 {
				best = 0
			}
			if j > first && row[j-1-first] > best {
				best = row[j-1-first]
			}
			if k := j - aboveFirst; i > 0 && k >= 0 && k < len(above) && above[k] > best {
				best, how = above[k], skipA
			}
			if k := j - 1 - aboveFirst; i > 0 && j > 0 && k >= 0 && k < len(above) {
				if l := like(i-1, j-1); l > 0 && above[k]+l >= best {
					best, how = above[k]+l, match
				}
			}
			row[j-first], steps[j-first] = best, how
		}
		t.steps[i], above, aboveFirst = steps, row, first
	}
}

// walk passes the pairs of the best way to yield, from the end.
func (t *trellis) walk(yield func(i, j int)) {
	for i, j := t.n, t.m; i > 0 || j > 0; {
		first, _ := t.columns(i)
		switch t.steps[i][j-first] {
		case match:
			i, j = i-1, j-1
			yield(i, j)
		case skipA:
			i--
		default:
			j--
		}
	}
}

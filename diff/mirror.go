package diff

import "slices"

// mirror makes it the diff of B and A.
func (d *Diff) mirror() {
	d.AOnlyEvents, d.BOnlyEvents = d.BOnlyEvents, d.AOnlyEvents
	d.A, d.B = d.B, d.A
	d.WrittenByA, d.WrittenByB = d.WrittenByB, d.WrittenByA
	mirrorItems(d.Turns)
}

func mirrorItems(items []*Item) {
	for _, it := range items {
		switch it.Change {
		case AOnly:
			it.Change = BOnly
		case BOnly:
			it.Change = AOnly
		}
		it.A, it.B = it.B, it.A
		for i := range it.Fields {
			f := &it.Fields[i]
			f.A, f.B = f.B, f.A
			for k := range f.Hunks {
				f.Hunks[k].mirror()
			}
		}
		mirrorItems(it.Items)
	}
	eachRun(items, func(it *Item) bool { return it.Change == AOnly || it.Change == BOnly }, func(run []*Item) {
		slices.SortStableFunc(run, func(a, b *Item) int { return compareBool(a.Change == BOnly, b.Change == BOnly) })
	})
}

func (h *Hunk) mirror() {
	h.A, h.B = h.B, h.A
	for i, line := range h.Lines {
		switch line[0] {
		case '-':
			h.Lines[i] = "+" + line[1:]
		case '+':
			h.Lines[i] = "-" + line[1:]
		}
	}
	eachRun(h.Lines, func(line string) bool { return line[0] != ' ' }, func(run []string) {
		slices.SortStableFunc(run, func(a, b string) int { return compareBool(a[0] == '+', b[0] == '+') })
	})
}

// eachRun calls do with every longest run of elements that are so.
func eachRun[T any](list []T, so func(T) bool, do func([]T)) {
	for i := 0; i < len(list); i++ {
		start := i
		for i < len(list) && so(list[i]) {
			i++
		}
		do(list[start:i])
	}
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

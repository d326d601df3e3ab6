package graph

import (
	"math"
	"testing"
	"time"
)

func TestTimeOf(t *testing.T) {
	first, last := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)
	for _, c := range []struct {
		at   time.Time
		want Time
	}{
		{time.Time{}, math.MinInt64}, {first.Add(-1), math.MinInt64}, {first, math.MinInt64}, {first.Add(1), math.MinInt64 + 1},
		{time.Unix(0, 0), 0}, {time.Unix(5, 7).In(time.FixedZone("", 3600)), 5e9 + 7},
		{last.Add(-1), math.MaxInt64 - 1}, {last, math.MaxInt64}, {last.Add(1), math.MaxInt64}, {time.Date(200_000_000, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64},
	} {
		if got := TimeOf(c.at); got != c.want {
			t.Errorf("%v is %d, want %d", c.at, got, c.want)
		}
	}
}

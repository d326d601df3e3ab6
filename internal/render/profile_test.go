package render

import (
	"strings"
	"testing"

	"github.com/actiongraph/actiongraph/graph"
)

func TestHistogram(t *testing.T) {
	buckets := []graph.DurationBucket{{FromMS: 0, ToMS: 1, Count: 1}, {FromMS: 1, ToMS: 2}, {FromMS: 1000, ToMS: 2000, Count: 4000}}
	for _, c := range []struct {
		style Style
		want  []string
	}{
		{Style{Width: 30, UTF8: true}, []string{"        < 1ms     1 █", "    1ms – 2ms     0", "  1.0s – 2.0s 4,000 ██████████"}},
		{Style{Width: 20}, []string{"        < 1ms     1 #", "    1ms - 2ms     0", "  1.0s - 2.0s 4,000 #"}},
		{Style{}, []string{"        < 1ms     1 #", "    1ms - 2ms     0", "  1.0s - 2.0s 4,000 " + strings.Repeat("#", barRoom)}},
	} {
		var b strings.Builder
		if err := c.style.Histogram(&b, buckets); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
		for i, want := range c.want {
			if len(lines) != len(c.want) || lines[i] != want {
				t.Errorf("%+v: have\n%s\nwant\n%s", c.style, b.String(), strings.Join(c.want, "\n"))
				break
			}
		}
	}
}

package render

import (
	"strings"
	"testing"
)

func TestForest(t *testing.T) {
	depths := []int{0, 1, 2, 3, 2, 1, 2}
	rows := make([][]string, len(depths))
	for i := range rows {
		rows[i] = []string{string(rune('a' + i)), "x"}
	}
	var b strings.Builder
	if err := (Style{UTF8: true, Width: 40}).Forest(&b, []Column{{Title: "T"}, {Title: "X"}}, rows, depths); err != nil {
		t.Fatal(err)
	}
	want := `T        X
a        x
├ b      x
│ ├ c    x
│ │ └ d  x
│ └ e    x
└ f      x
  └ g    x
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

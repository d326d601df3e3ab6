package graph

import (
	"math/rand/v2"
	"testing"

	"github.com/actiongraph/actiongraph/schema"
)

// TestActionList holds the list against a map, while actions come and go.
func TestActionList(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var l actionList
	want := map[schema.Key]int32{}
	var keys []schema.Key
	for step := range 200_000 {
		key := schema.NewKey("action", itoa(r.IntN(4000)))
		switch i := l.find(key); {
		case i != want[key]:
			t.Fatalf("step %d: found %d, want %d", step, i, want[key])
		case i == 0:
			want[key] = l.add(key)
			keys = append(keys, key)
			if a := l.at(want[key]); *a != (action{key: key}) {
				t.Fatalf("step %d: a new action is %+v", step, *a)
			}
			l.at(want[key]).own = int64(step)
		case r.IntN(2) == 0:
			l.drop(i)
			delete(want, key)
		}
	}
	numbers := map[int32]bool{0: true}
	for _, key := range keys {
		i := want[key]
		if l.find(key) != i {
			t.Errorf("found %d, want %d", l.find(key), i)
		}
		if i != 0 && numbers[i] && l.at(i).key != key {
			t.Errorf("two actions have the number %d", i)
		}
		numbers[i] = true
	}
	if len(l.slots) > 8*len(want)+16 {
		t.Errorf("%d slots for %d actions", len(l.slots), len(want))
	}
}

// TestRegisters holds registers against what they are said to be: of each class the least
// fact, whichever came first.
func TestRegisters(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const entities, classes = 40, 9
	var l holds
	var regs [entities]registers
	var want [entities][classes]*stamp
	for step := range 200_000 {
		n := r.IntN(entities)
		if r.IntN(200) == 0 {
			l.drop(&regs[n])
			want[n] = [classes]*stamp{}
		}
		st := stamp{time: int64(r.IntN(6) - 3), sum: uint64(r.IntN(2)), rank: uint8(r.IntN(4))}
		asked := class(r.IntN(1 << classes))
		var won, taken class
		for c := range classes {
			bit := class(1) << c
			if held := want[n][c]; asked&bit != 0 && (held == nil || st.less(*held)) {
				won |= bit
				if held != nil {
					taken |= bit
				}
				want[n][c] = &st
			}
		}
		gotWon, gotTaken := l.take(&regs[n], st, asked)
		if gotWon != won || gotTaken != taken {
			t.Fatalf("step %d: won %b and took %b, want %b and %b", step, gotWon, gotTaken, won, taken)
		}
		for c := range classes {
			if got := l.held(regs[n], class(1)<<c); got != (want[n][c] != nil) {
				t.Fatalf("step %d: class %d held: %v", step, c, got)
			}
		}
	}
	if l.n > entities*classes {
		t.Errorf("%d holds for %d entities of %d classes", l.n, entities, classes)
	}
}

package graph

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// chained is a dump of n runs, of which each is called by the next one, and the last by the
// first where it is a circle. Their times are step apart: callees began later than their callers
// if that is negative.
func chained(n int, circle bool, step time.Duration) dump {
	var d dump
	for i := range n {
		caller := fmt.Sprint("r", i+1)
		if i == n-1 {
			caller = ""
			if circle {
				caller = "r0"
			}
		}
		from := len(d)
		d.run(fmt.Sprint("r", i), fmt.Sprint("n", i), caller)
		for k := range d[from:] {
			d[from+k].Timestamp = epoch.Add(time.Hour + time.Duration(i)*step)
		}
	}
	return d
}

// Runs that are called by each other, with calls and decisions, whose times are anything: what
// follows its parent later is where it would be if it had followed at once.
func TestChainsOfCallersMatchTheOracle(t *testing.T) {
	for seed := range uint64(12) {
		r, _ := seeded(seed)
		d := chained(8, seed%3 == 0, []time.Duration{time.Second, -time.Second, 0}[seed%3])
		for i := range 8 {
			run := fmt.Sprint("r", i)
			d.delegate(run, fmt.Sprint("n", r.IntN(8)))
			call := d.add(schema.ToolStart, run, schema.Event{ToolName: "x", ToolUseID: "t" + run, ToolInput: json.RawMessage(`{}`)})
			end := *call
			end.EventType, end.EventID, end.Result = schema.ToolEnd, "end"+run, json.RawMessage(`"y"`)
			d = append(d, end)
		}
		for k := range d {
			if r.IntN(2) == 0 {
				d[k].Timestamp = epoch.Add(time.Duration(r.IntN(20)) * time.Second)
			}
		}
		matchAll(t, fmt.Sprint("seed ", seed), "dump", d, r, 3)
	}
}

// A chain or a circle of callers costs what it is long, whoever's record is first and whatever
// their times are. Steps are counted as allocations: a start that moves makes some.
func TestChainsOfCallersAreFlat(t *testing.T) {
	cost := func(n int, circle bool, step time.Duration, newest bool) float64 {
		d := chained(n, circle, step)
		return testing.AllocsPerRun(1, func() {
			s := NewSession("dump", "journal0")
			for i := range d {
				if newest {
					s.Apply(&d[len(d)-1-i])
				} else {
					s.Apply(&d[i])
				}
			}
			s.Take()
		})
	}
	for _, step := range []time.Duration{time.Second, -time.Second, 0} {
		for _, circle := range []bool{false, true} {
			for _, newest := range []bool{false, true} {
				few, many := cost(400, circle, step, newest), cost(1600, circle, step, newest)
				if many > 6*few {
					t.Errorf("four times as many runs %v apart (circle %v, newest first %v) take %.0f steps instead of %.0f", step, circle, newest, many, few)
				}
			}
		}
	}
}

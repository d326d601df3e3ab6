package graph

import (
	"cmp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// A compaction is told by several facts, none of which names it: PreCompact, the
// anonymous SubagentStop of the request that summarises, SessionStart(compact),
// PostCompact, and the transcript's compact_boundary and summary. They belong
// together by the order of time within a lane. Compactions are rare, so their facts
// are kept whole and paired anew when one comes.

// compactStage is the place of a fact in a compaction.
type compactStage uint8

const (
	stagePre compactStage = iota
	stageAgent
	stageStart
	stagePost
	stageBoundary
	stageSummary
)

// compactionGap is the longest silence within one compaction.
const compactionGap = int64(15 * time.Minute)

type compactFact struct {
	stage  compactStage
	time   int64
	seq    int64
	sum    uint64
	reason string
	text   string
}

// compactions is the folded state of one lane's compactions.
type compactions struct {
	facts []compactFact
	nodes []int32
	shown [][]Prop
}

func (s *Session) compaction(f *fact) {
	stage := stagePre
	switch f.HookEventName {
	case "SubagentStop":
		stage = stageAgent
	case "SessionStart":
		stage = stageStart
	case "PostCompact":
		stage = stagePost
	case "compact_boundary":
		stage = stageBoundary
	case "summary":
		stage = stageSummary
	}
	if f.EventType == schema.SessionStart {
		stage = stageStart
	}
	c := compactFact{stage: stage, time: f.at, seq: f.Seq, sum: f.sum, text: clip(f.Content)}
	if stage != stageStart {
		c.reason = f.Reason
	}
	n := s.laneOf[f.AgentID]
	all := s.compacted[n]
	if all == nil {
		all = &compactions{}
		s.compacted[n] = all
	}
	switch old := s.receivedBefore(f); {
	case old == 0:
	case old <= f.at:
		return
	default:
		all.facts = slices.DeleteFunc(all.facts, func(o compactFact) bool { return o.time == old && o.sum == c.sum })
	}
	all.facts = append(all.facts, c)
	slices.SortFunc(all.facts, func(a, b compactFact) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.stage, b.stage), cmp.Compare(a.sum, b.sum),
			cmp.Compare(a.seq, b.seq), cmp.Compare(a.text, b.text))
	})
	s.settleCompactions(n, all)
}

// settleCompactions cuts a lane's facts into compactions: one begins with PreCompact,
// or where a stage comes again or too late.
func (s *Session) settleCompactions(n int32, all *compactions) {
	var times []when
	var props [][]Prop
	var last compactFact
	seen := map[compactStage]int64{}
	for _, c := range all.facts {
		if t, ok := seen[c.stage]; ok && c.time-t <= sameFact {
			seen[c.stage] = c.time // the same fact, received twice
			continue
		}
		_, again := seen[c.stage]
		if len(times) == 0 || c.stage == stagePre || again || c.time-last.time > compactionGap {
			times = append(times, when{own: c.time, seq: c.seq})
			props = append(props, []Prop{
				{"name", "compaction"}, {"reason", nil}, {"instructions", nil}, {"text", nil},
				{"status", schema.StatusCompleted}, {"ended_at", nil},
			})
			clear(seen)
		}
		seen[c.stage] = c.time
		last = c
		k := len(times) - 1
		if c.seq != 0 && (times[k].seq == 0 || c.seq < times[k].seq) {
			times[k].seq = c.seq
		}
		p := props[k]
		if c.reason != "" && p[1].Value == nil {
			p[0].Value, p[1].Value = "compaction ("+c.reason+")", c.reason
		}
		switch {
		case c.text == "":
		case c.stage == stagePre:
			p[2].Value = c.text
		case p[3].Value == nil:
			p[3].Value = c.text
		}
		if c.stage != stagePre {
			p[5].Value = Time(c.time)
		}
	}
	all.nodes = s.settle(all.nodes, 0, len(times), claim{
		typ: Compaction, lane: n,
		when:  func(k int) when { return times[k] },
		key:   func(k int) schema.Key { return schema.NewKey("compaction", s.id, s.lanes[n].id, itoa(k)) },
		props: func(k int) []Prop { return nil },
	})
	for k, i := range all.nodes {
		if k >= len(all.shown) || !slices.Equal(all.shown[k], props[k]) {
			s.put(i, props[k]...)
		}
	}
	all.shown = props
}

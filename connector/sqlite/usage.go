package sqlite

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/actiongraph/actiongraph/graph"
)

// The table usage holds what reports of tokens add up: of each session one BLOB of sums
// for each four hours, so that a year of 5,000 sessions is few small rows to read. Measured
// on 163,000 calls, which are 60,000 sums: rows of their own, added up by SQLite, took 110
// ms, the BLOBs 25. What a batch changes is of few hours, so that a session of 600,000
// events costs each batch no more than a short one does: one BLOB for all of it took half
// of the time that such an import lasts.
//
// It is kept in step by differences: what a call adds is a function of its node's
// properties (graph.UsageOf), which are read back before they change. Check holds it
// against the nodes.

// usageKey is what the calls that are added up have in common.
type usageKey struct {
	quarter             int64 // of an hour, since 1970
	agent, model, speed string
	over                int64
	stated              bool
}

// part is the row of the table that a sum is in: four hours, as the sums are in the order
// of their quarters.
func (k usageKey) part() int64 { return k.quarter >> 4 }

// usageSum is what they add up to.
type usageSum struct {
	graph.UsageCounts
	cost int64 // billionths of a dollar
}

// usageSums are those of one session.
type usageSums map[usageKey]usageSum

// count adds what a model call with these properties uses, or with sign -1 takes it away.
func (u usageSums) count(props []graph.Prop, sign int64) {
	r, quarter, ok := graph.UsageOf(props)
	if !ok {
		return
	}
	k := usageKey{quarter: quarter, model: r.Model, speed: r.Speed, over: r.Over, stated: r.Stated}
	for _, p := range props {
		if p.Name == "agent_id" {
			k.agent = str(p.Value)
		}
	}
	if sign < 0 {
		u.take(k, usageSum{r.UsageCounts, r.CostNanos})
	} else {
		u.add(k, usageSum{r.UsageCounts, r.CostNanos})
	}
}

func (u usageSums) add(k usageKey, s usageSum) {
	sum := u[k]
	sum.Add(s.UsageCounts)
	sum.cost += s.cost
	u[k] = sum
}

func (u usageSums) take(k usageKey, s usageSum) {
	sum := u[k]
	sum.Sub(s.UsageCounts)
	sum.cost -= s.cost
	u[k] = sum
}

// countAction notes what is about to change of a model call.
func (t *tx) countAction(n *node) error {
	counts := n.put && n.typ == graph.LLMCall
	if !counts && !n.counted || counts && n.counted && !slices.ContainsFunc(n.props, countsFor) {
		return nil
	}
	var old []graph.Prop
	if n.stored {
		var err error
		if old, err = t.actionProps(n); err != nil {
			return err
		}
	}
	if n.counted {
		t.sums(n.sid).count(old, -1)
	}
	if n.counted = counts; counts {
		is := n.props
		if n.stored {
			is = merge(old, is)
		}
		t.sums(n.sid).count(is, +1)
	}
	return nil
}

// countsFor reports a property that decides what a call adds, and to which sum.
func countsFor(p graph.Prop) bool { return p.Name == "agent_id" || graph.IsUsage(p.Name) }

// uncount takes away what a call adds that is about to be deleted.
func (t *tx) uncount(n *node) error {
	if !n.counted {
		return nil
	}
	old, err := t.actionProps(n)
	if err == nil {
		t.sums(n.sid).count(old, -1)
	}
	return err
}

// sums are the differences of one session.
func (t *tx) sums(sid int64) usageSums {
	u := t.usage[sid]
	if u == nil {
		u = usageSums{}
		t.usage[sid] = u
	}
	return u
}

// actionProps reads all properties of an action that is in the file.
func (t *tx) actionProps(n *node) ([]graph.Prop, error) {
	props, err := t.readProps(t.tables.action, n)
	if err != nil || !n.hasBody {
		return props, err
	}
	more, err := t.readProps(t.tables.body, n)
	return append(props, more...), err
}

// writeUsage writes what has changed.
func (t *tx) writeUsage() error {
	for sid, differences := range t.usage {
		parts := map[int64]usageSums{}
		for k, s := range differences {
			if parts[k.part()] == nil {
				parts[k.part()] = usageSums{}
			}
			parts[k.part()].add(k, s)
		}
		for part, changed := range parts {
			if err := t.writeUsagePart(sid, part, changed); err != nil {
				return err
			}
		}
	}
	clear(t.usage)
	return nil
}

func (t *tx) writeUsagePart(sid, part int64, changed usageSums) error {
	var old []byte
	err := t.queryRow("SELECT sums FROM usage WHERE sid = ? AND part = ?", sid, part).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if t.sums4h, err = changed.mergeInto(t.sums4h[:0], old); err != nil {
		return err
	}
	if len(t.sums4h) == 0 {
		return t.exec("DELETE FROM usage WHERE sid = ? AND part = ?", sid, part)
	}
	return t.exec("INSERT INTO usage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sums = excluded.sums", sid, part, t.sums4h)
}

// mergeInto appends to b what encode would give of the sums that old encodes and u changes,
// without those that no call is in any more. Both are in one order: a session whose every
// call is another agent's has thousands, of which a batch changes some.
func (u usageSums) mergeInto(b, old []byte) ([]byte, error) {
	keys := slices.SortedFunc(maps.Keys(u), compareUsageKeys)
	put := func(k usageKey, s usageSum) {
		if s.Calls != 0 {
			b = appendUsage(b, k, s)
		}
	}
	err := eachUsage(old, map[string]string{}, func(k usageKey, s usageSum) {
		for ; len(keys) > 0 && compareUsageKeys(keys[0], k) < 0; keys = keys[1:] {
			put(keys[0], u[keys[0]])
		}
		if len(keys) > 0 && keys[0] == k {
			s.Add(u[k].UsageCounts)
			s.cost += u[k].cost
			keys = keys[1:]
		}
		put(k, s)
	})
	for _, k := range keys {
		put(k, u[k])
	}
	return b, err
}

// encode is the reverse of eachUsage: the sums in the order of time.
func (u usageSums) encode() (b []byte) {
	for _, k := range slices.SortedFunc(maps.Keys(u), compareUsageKeys) {
		b = appendUsage(b, k, u[k])
	}
	return b
}

// appendUsage appends one sum: each number a varint, each text after its length.
func appendUsage(b []byte, k usageKey, s usageSum) []byte {
	for _, n := range [...]int64{k.quarter, k.over, stated(k.stated), s.Calls, s.LowerBounds, s.Input, s.Output, s.CacheRead,
		s.CacheWrite, s.CacheWrite5m, s.CacheWrite1h, s.WebSearches, s.cost} {
		b = binary.AppendVarint(b, n)
	}
	for _, text := range [...]string{k.agent, k.model, k.speed} {
		b = append(binary.AppendVarint(b, int64(len(text))), text...)
	}
	return b
}

func compareUsageKeys(a, b usageKey) int {
	return cmp.Or(cmp.Compare(a.quarter, b.quarter), cmp.Compare(a.agent, b.agent), cmp.Compare(a.model, b.model),
		cmp.Compare(a.speed, b.speed), cmp.Compare(a.over, b.over), cmp.Compare(stated(a.stated), stated(b.stated)))
}

func stated(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

var errUsage = errors.New("its sums of usage are damaged: move the file away and `ag-sessiond sync` folds the journal into a new one")

// eachUsage calls f with each sum of a session. Texts are those of known, to which it
// adds: there are few, and many sums.
func eachUsage(b []byte, known map[string]string, f func(usageKey, usageSum)) error {
	for len(b) > 0 {
		var k usageKey
		var s usageSum
		var isStated int64
		for _, n := range [...]*int64{&k.quarter, &k.over, &isStated, &s.Calls, &s.LowerBounds, &s.Input, &s.Output, &s.CacheRead,
			&s.CacheWrite, &s.CacheWrite5m, &s.CacheWrite1h, &s.WebSearches, &s.cost} {
			var size int
			if *n, size = binary.Varint(b); size <= 0 {
				return errUsage
			}
			b = b[size:]
		}
		for _, text := range [...]*string{&k.agent, &k.model, &k.speed} {
			length, size := binary.Varint(b)
			if size <= 0 || length < 0 || length > int64(len(b)-size) {
				return errUsage
			}
			raw := b[size : size+int(length)]
			have, ok := known[string(raw)]
			if !ok {
				have = string(raw)
				known[have] = have
			}
			*text, b = have, b[size+int(length):]
		}
		k.stated = isStated != 0
		f(k, s)
	}
	return nil
}

package graph

import "github.com/actiongraph/actiongraph/schema"

// moments are the facts of one kind by what they say, or by their ids: it knows the
// time of the latest, which is not the time at which that fact was received a second time.
type moments struct {
	spans  map[uint64][]span
	latest int64
}

func (m *moments) add(f *fact) {
	if m.spans == nil {
		m.spans = map[uint64][]span{}
	}
	var key uint64
	var old int64
	if f.Origin == schema.OriginHook {
		key = f.content
		old = latestOf(m.spans[key])
		m.spans[key], _ = addSpan(m.spans[key], f.at)
	} else {
		// Every other source names its facts: a later record of one is that one.
		key = uint64(fnvOffset.str(f.EventID))
		old = latestOf(m.spans[key])
		if old == 0 || f.at < old {
			m.spans[key] = []span{{f.at, f.at}}
		}
	}
	switch now := latestOf(m.spans[key]); {
	case now >= m.latest:
		m.latest = now
	case old == m.latest && now < old: // two became one, or one is older than it seemed
		m.latest = 0
		for _, spans := range m.spans {
			m.latest = max(m.latest, latestOf(spans))
		}
	}
}

// last returns the time of the latest fact, 0 if there is none.
func (m *moments) last() int64 { return m.latest }

func latestOf(spans []span) int64 {
	if len(spans) == 0 {
		return 0
	}
	return spans[len(spans)-1].first
}

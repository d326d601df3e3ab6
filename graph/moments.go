package graph

import "github.com/actiongraph/actiongraph/schema"

// moments are the facts of one kind by what they say, or by their ids: it knows the
// time of the latest, which is not the time at which that fact was received a second time.
type moments struct {
	latest int64
	key    uint64            // of the only one: most lanes end once
	spans  map[uint64][]span // by key, of several
}

func (m *moments) add(s *Session, f *fact) {
	// Every other source than hooks names its facts: a later record of one is that one.
	key := f.content
	if f.Origin == schema.OriginHook {
		s.receivedBefore(f)
	} else {
		key = uint64(fnvOffset.str(f.EventID))
	}
	if m.latest == 0 {
		m.key, m.latest = key, f.at
		return
	}
	if m.spans == nil {
		m.spans = map[uint64][]span{m.key: {{first: m.latest, last: m.latest}}}
	}
	spans := m.spans
	old := latestOf(spans[key])
	if f.Origin == schema.OriginHook {
		spans[key], _ = s.receive(spans[key], f)
	} else if old == 0 || f.at < old {
		spans[key] = []span{{first: f.at, last: f.at}}
	}
	switch now := latestOf(spans[key]); {
	case now >= m.latest:
		m.latest = now
	case old == m.latest && now < old: // two became one, or one is older than it seemed
		m.latest = 0
		for _, spans := range spans {
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

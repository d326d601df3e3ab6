package claude

import (
	"cmp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// Copies are lines of a file that another session's file had first, and that do not say
// so themselves: LineNames tell them.
type Copies struct {
	First, Last int64  // lines, counted from 1
	Session     string // whose they are
	// Renamed says that the lines have other uuids or times than there. Nothing is told of them:
	// they would be other facts.
	Renamed bool
}

// copyOf returns the Copies that line n is in, nil where it is in none.
func (s *Source) copyOf(n int64) *Copies {
	if len(s.Copies) == 0 || n > s.Copies[len(s.Copies)-1].Last {
		return nil
	}
	k, _ := slices.BinarySearchFunc(s.Copies, n, func(c Copies, n int64) int { return cmp.Compare(c.Last, n) })
	if c := &s.Copies[k]; n >= c.First {
		return c
	}
	return nil
}

// LineNames are the names by which a line of one file is found again in another that
// holds a copy of it. What a copy keeps depends on the version:
//
//	up to 1.0.65                      message.id, tool_use_id
//	to 2.0.14 at least                these and uuid
//	2.0.60 to 2.1.100 at least        these, timestamp and requestId
//
// The versions before 2.0 give all copied lines the time of the copy and leave requestId out.
// Later ones mark copies: see OriginScan.
type LineNames struct {
	UUID    string
	Message string   // message.id of an answer of the model API
	Request string   // requestId
	Results []string // the tool_use_id of each result
	Prompt  string   // what a user's line without results says; every version keeps it
	Session string   // whose line it is, by what it says itself
	Time    time.Time
	Event   string // the event id of what the line says
}

// NamesOf returns the names of a line of the conversation; the zero LineNames of any other,
// which nobody copies.
func NamesOf(b []byte) (names LineNames) {
	b, _, needed := factual(b)
	if !needed {
		return names
	}
	l, _, err := parseLine(&line{}, b, 0)
	if err != nil {
		return names
	}
	if l.uuid == "" || l.time.IsZero() {
		return names
	}
	names = LineNames{UUID: l.uuid, Session: l.session, Time: l.time, Request: l.requestID,
		Event: schema.EventID(schema.OriginTranscript, l.typ, l.uuid, "1")}
	if of, copied := l.copiedFrom(nil); copied {
		names.Session = of
	}
	switch l.typ {
	case "assistant":
		if l.message.model != synthetic && !l.apiError {
			names.Message = l.message.id
		}
	case "user":
		for _, block := range l.message.blocks {
			if block.typ == "tool_result" && block.toolUseID != "" {
				names.Results = append(names.Results, block.toolUseID)
			}
		}
		if len(names.Results) == 0 {
			names.Prompt = l.message.allText()
		}
	}
	return names
}

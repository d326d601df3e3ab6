package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// part is a stretch of a recorded session (its start, one turn, its end) that can
// be written again and again, each time with ids, times and words of its own.
type part struct {
	lines  [][]segment
	after  []time.Duration // of each line, since the part's first
	slots  []slot
	length time.Duration
}

// segment is bytes as they are, and then a slot's value.
type segment struct {
	literal []byte
	slot    int // an index into slots, or one of the constants below
}

const (
	slotNone    = -1
	slotTime    = -2
	slotSession = -3
)

// slot is something that differs from one copy of a part to the next, but is the
// same wherever it stands in one copy: a tool_use_id joins a call and its result.
type slot struct {
	original string
	word     bool // else an id
}

// Strings of these members are text; their words are replaced, so that full text
// search sees a vocabulary and not the same few words a million times.
func textMembers() *regexp.Regexp {
	return regexp.MustCompile(`"(command|description|content|stdout|text|error_message|prompt|last_assistant_message|old_string|new_string)":"((?:[^"\\]|\\.)*)"`)
}

// These members hold ids. They stand elsewhere too, in paths and texts: every
// occurrence of an id that was found once is replaced.
func idMembers() *regexp.Regexp {
	return regexp.MustCompile(`"(event_id|tool_use_id|prompt_id|agent_id|agentId|message_id|toolUseId)":"([a-zA-Z0-9_-]{8,})"`)
}

func newPart(lines [][]byte) (*part, error) {
	p := &part{}
	for _, line := range lines {
		for _, m := range idMembers().FindAllSubmatch(line, -1) {
			p.addSlot(slot{original: string(m[2])})
		}
	}
	for _, line := range lines {
		for _, m := range textMembers().FindAllSubmatch(line, -1) {
			for _, w := range words(m[2]) {
				p.addSlot(slot{original: string(m[2][w[0]:w[1]]), word: true})
			}
		}
	}
	var first time.Time
	for i, line := range lines {
		e, err := schema.Decode(line)
		if err != nil {
			return nil, fmt.Errorf("sample: %w", err)
		}
		if i == 0 {
			first = e.Timestamp
		}
		p.after = append(p.after, e.Timestamp.Sub(first))
		p.lines = append(p.lines, p.cut(line, &e))
	}
	p.length = slices.Max(p.after) + time.Second
	return p, nil
}

func (p *part) addSlot(s slot) {
	if !slices.Contains(p.slots, s) {
		p.slots = append(p.slots, s)
	}
}

// cut makes segments of a line.
func (p *part) cut(line []byte, e *schema.Event) []segment {
	type place struct{ start, end, slot int }
	var places []place
	mark := func(what string, slot int) {
		for at := 0; what != ""; {
			i := bytes.Index(line[at:], []byte(what))
			if i < 0 {
				return
			}
			places = append(places, place{at + i, at + i + len(what), slot})
			at += i + len(what)
			if slot == slotTime {
				return // only the event's own
			}
		}
	}
	mark(schema.FormatTime(e.Timestamp), slotTime)
	mark(e.SessionID, slotSession)
	for i, s := range p.slots {
		if !s.word {
			mark(s.original, i)
		}
	}
	for _, m := range textMembers().FindAllSubmatchIndex(line, -1) {
		value := line[m[4]:m[5]]
		for _, w := range words(value) {
			i := slices.Index(p.slots, slot{string(value[w[0]:w[1]]), true})
			places = append(places, place{m[4] + w[0], m[4] + w[1], i})
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return a.start - b.start })
	var out []segment
	at := 0
	for _, pl := range places {
		if pl.start < at {
			continue // a word inside an id
		}
		out = append(out, segment{line[at:pl.start], pl.slot})
		at = pl.end
	}
	return append(out, segment{line[at:], slotNone})
}

// words finds runs of three letters and more in the inside of a JSON string; the
// letter of an escape (\n) is none.
func words(s []byte) (spans [][2]int) {
	for i := 0; i < len(s); {
		if s[i] == '\\' {
			i += 2
			continue
		}
		start := i
		for i < len(s) && (s[i]|0x20) >= 'a' && (s[i]|0x20) <= 'z' {
			i++
		}
		if i-start >= 3 {
			spans = append(spans, [2]int{start, i})
		}
		if i == start {
			i++
		}
	}
	return spans
}

// append writes one copy of the part, framed as the journal frames it.
func (p *part) append(dst []byte, session string, at time.Time, v *values) []byte {
	fill := make([]string, len(p.slots))
	for i, s := range p.slots {
		if s.word {
			fill[i] = v.word(len(s.original))
		} else {
			fill[i] = v.id(s.original)
		}
	}
	for i, line := range p.lines {
		dst = append(dst, '\n')
		for _, seg := range line {
			dst = append(dst, seg.literal...)
			switch seg.slot {
			case slotNone:
			case slotTime:
				dst = at.Add(p.after[i]).AppendFormat(dst, schema.TimeLayout)
			case slotSession:
				dst = append(dst, session...)
			default:
				dst = append(dst, fill[seg.slot]...)
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}

// values draws ids and words, the same ones each time the program runs.
type values struct {
	rand  *rand.Rand
	words map[int][]string // by length
	zipf  *rand.Zipf
}

const vocabulary = 5000 // words of each length

func newValues() *values {
	r := rand.New(rand.NewPCG(3, 14))
	return &values{rand: r, words: map[int][]string{}, zipf: rand.NewZipf(r, 1.1, 4, vocabulary-1)}
}

// word returns a word of n letters; as in a language, few words are most of a text.
func (v *values) word(n int) string {
	list := v.words[n]
	if list == nil {
		letters := [2]string{"bcdfghklmnprstvw", "aeiou"}
		list = make([]string, vocabulary)
		for i := range list {
			w := make([]byte, n)
			for j := range w {
				w[j] = letters[j%2][v.rand.IntN(len(letters[j%2]))]
			}
			list[i] = string(w)
		}
		v.words[n] = list
	}
	return list[v.zipf.Uint64()]
}

// id returns an id of the same length and kind as the original: hexadecimal digits
// after whatever is not one.
func (v *values) id(original string) string {
	b := []byte(original)
	start := bytes.LastIndexByte(b, '_') + 1
	for i := start; i < len(b); i++ {
		if b[i] != '-' {
			b[i] = "0123456789abcdef"[v.rand.IntN(16)]
		}
	}
	return string(b)
}

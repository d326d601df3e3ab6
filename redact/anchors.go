package redact

import (
	"encoding/binary"
	"math/bits"
)

// anchors finds in one pass every place where a rule's literal stands. A literal
// is looked for by its rarest three bytes: a table of 65,536 bits over hashed
// three-byte windows says "no" for nearly every position of ordinary text, at
// one multiplication a byte. It is built anew for each Redactor because that
// takes microseconds, where 200 compiled expressions take milliseconds that the
// agent would wait for at every hook.
type anchors struct {
	bits  [1 << 16 / 64]uint64
	heads [1 << 10]uint16 // 1 + index of the first literal of a window
	list  []anchor

	rarity [256]uint8 // of each byte, in text
}

func newAnchors(size int) anchors {
	a := anchors{list: make([]anchor, 0, size)}
	for c := range a.rarity {
		a.rarity[c] = 18 // digits and punctuation
	}
	for i, c := range []byte("etaoinsrldcumpfhgbvykwxjzq") { // by frequency in code and prose
		a.rarity[c], a.rarity[c-'a'+'A'] = uint8(i), uint8(i)
	}
	for i, c := range []byte(" \"-\\_./:") { // in JSON, tables and lists
		a.rarity[c] = uint8(2 * i)
	}
	return a
}

type anchor struct {
	rule   *rule
	lit    string
	gram   uint32 // the literal's rarest window
	offset uint16 // of that window in the literal
	slot   uint16 // index of the rule
	next   uint16 // 1 + index of the next literal with the same head
}

func (a *anchors) add(slot int, r *rule, lit string) {
	gram, offset := a.rarest(lit)
	h := hash(gram)
	a.bits[h>>6] |= 1 << (h & 63)
	head := &a.heads[h&1023]
	a.list = append(a.list, anchor{rule: r, slot: uint16(slot), lit: lit, gram: gram, offset: uint16(offset), next: *head})
	*head = uint16(len(a.list))
}

// scan calls hit for every literal in s, with the position it begins at, until
// hit returns true. It reports whether hit did.
func (a *anchors) scan(s []byte, hit func(pos int, a *anchor) bool) bool {
	i := 0
	// Six windows are in eight bytes. Nearly always none of them is of a literal, which
	// is asked for all of them at once.
	for ; i+8 <= len(s); i += 6 {
		w := binary.LittleEndian.Uint64(s[i:]) | 0x2020202020202020
		found := a.may(w) | a.may(w>>8)<<1 | a.may(w>>16)<<2 | a.may(w>>24)<<3 | a.may(w>>32)<<4 | a.may(w>>40)<<5
		for ; found != 0; found &= found - 1 {
			k := bits.TrailingZeros64(found)
			if a.literals(s, i+k, uint32(w>>(8*k))&0xffffff, hit) {
				return true
			}
		}
	}
	for ; i+3 <= len(s); i++ {
		w := uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | 0x202020
		if a.may(uint64(w)) != 0 && a.literals(s, i, w, hit) {
			return true
		}
	}
	return false
}

// may says in its lowest bit whether a literal may have the window w&0xffffff.
func (a *anchors) may(w uint64) uint64 {
	h := hash(uint32(w) & 0xffffff)
	return a.bits[h>>6] >> (h & 63) & 1
}

// literals calls hit for every literal that has its window gram at s[i].
func (a *anchors) literals(s []byte, i int, gram uint32, hit func(pos int, a *anchor) bool) bool {
	for n := a.heads[hash(gram)&1023]; n != 0; {
		lit := &a.list[n-1]
		n = lit.next
		pos := i - int(lit.offset)
		if lit.gram == gram && pos >= 0 && lit.at(s, pos) && hit(pos, lit) {
			return true
		}
	}
	return false
}

func (a *anchor) at(s []byte, pos int) bool {
	if pos+len(a.lit) > len(s) {
		return false
	}
	if !a.rule.fold {
		return string(s[pos:pos+len(a.lit)]) == a.lit
	}
	for i := 0; i < len(a.lit); i++ {
		if lower(s[pos+i]) != a.lit[i] {
			return false
		}
	}
	return true
}

// hash maps a window to 16 bits. Letters of both cases are one: see scan.
func hash(gram uint32) uint32 { return gram * 0x9e3779b1 >> 16 }

// rarest returns the three-byte window of lit that text is least likely to hold.
func (a *anchors) rarest(lit string) (gram uint32, offset int) {
	best := -1
	for i := 0; i+3 <= len(lit); i++ {
		if w := int(a.rarity[lit[i]]) + int(a.rarity[lit[i+1]]) + int(a.rarity[lit[i+2]]); w > best {
			best, offset = w, i
		}
	}
	return uint32(lit[offset]) | uint32(lit[offset+1])<<8 | uint32(lit[offset+2])<<16 | 0x202020, offset
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

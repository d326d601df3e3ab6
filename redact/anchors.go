package redact

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
	return a
}

type anchor struct {
	rule *rule
	lit  string
	gram uint32 // the literal's rarest window
	end  uint16 // offset of that window's last byte in the literal
	slot uint16 // index of the rule
	next uint16 // 1 + index of the next literal with the same head
}

func (a *anchors) add(slot int, r *rule, lit string) {
	gram, end := a.rarest(lit)
	h := hash(gram)
	a.bits[h>>6] |= 1 << (h & 63)
	head := &a.heads[h&1023]
	a.list = append(a.list, anchor{rule: r, slot: uint16(slot), lit: lit, gram: gram, end: uint16(end), next: *head})
	*head = uint16(len(a.list))
}

// scan calls hit for every literal in s, with the position it begins at, until
// hit returns true. It reports whether hit did.
func (a *anchors) scan(s []byte, hit func(pos int, a *anchor) bool) bool {
	var gram uint32
	for i, c := range s {
		gram = (gram<<8 | uint32(c|0x20)) & 0xffffff
		h := hash(gram)
		if a.bits[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for n := a.heads[h&1023]; n != 0; {
			lit := &a.list[n-1]
			n = lit.next
			pos := i - int(lit.end)
			if lit.gram != gram || pos < 0 || !lit.at(s, pos) {
				continue
			}
			if hit(pos, lit) {
				return true
			}
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
func (a *anchors) rarest(lit string) (gram uint32, end int) {
	best := -1
	for i := 2; i < len(lit); i++ {
		if w := int(a.rarity[lit[i-2]]) + int(a.rarity[lit[i-1]]) + int(a.rarity[lit[i]]); w > best {
			best, end = w, i
		}
	}
	return uint32(lit[end-2]|0x20)<<16 | uint32(lit[end-1]|0x20)<<8 | uint32(lit[end]|0x20), end
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

package schema

import "encoding/binary"

// Texts are the short texts that were unquoted last: one that is said again is not made
// again. The zero Texts is ready; a nil one keeps nothing. It is for one goroutine.
type Texts struct{ seen [128]string }

// maxText is how long a text may be that Texts keeps, in bytes: longer ones than an id
// are rarely said again.
const maxText = 128

// Unquote is the function Unquote.
func (t *Texts) Unquote(raw []byte) string {
	if t == nil || len(raw) < 2 || len(raw) > maxText || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return Unquote(raw)
	}
	body, ok := plain(raw)
	if !ok {
		return Unquote(raw)
	}
	known := &t.seen[place(body)%len(t.seen)]
	if *known != string(body) {
		*known = string(body)
	}
	return *known
}

// place says where a text is kept.
func place(b []byte) int {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(len(b))
	for ; len(b) >= 8; b = b[8:] {
		h = (h ^ binary.LittleEndian.Uint64(b)) * odd
		h ^= h >> 32
	}
	for _, c := range b {
		h = (h ^ uint64(c)) * odd
	}
	return int(h >> 33)
}

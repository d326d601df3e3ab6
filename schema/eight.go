package schema

// Eight bytes at once, in a word: the top bit of each byte of what below and equal return
// says whether that byte of w is less than, or the same as, n. Bytes above the first that
// is may be wrong, and n is ASCII. (Hacker's Delight, 6-1: find the first 0-byte.)
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

func below(w, n uint64) uint64 { return (w - ones*n) &^ w }

func equal(w, n uint64) uint64 { return below(w^ones*n, 1) }

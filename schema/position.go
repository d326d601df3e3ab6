package schema

// Position is a place in one session's journal file: what a store remembers of how
// far it has read. It is (offset, hash of the record that ends there, hash of the
// first record), so that a file that shrank, was rewritten or was replaced does
// not match. The zero Position is the beginning.
type Position struct {
	Offset int64  `json:"offset"` // bytes
	Sum    uint64 `json:"sum"`    // hash of the record that ends at Offset
	First  uint64 `json:"first"`  // hash of the file's first record
	// Fold is the graph.Revision of what the store made of it; 0 in a Position of a file alone.
	Fold int64 `json:"fold,omitempty"`
}

// SealHead is the end of a journal's log of seals, as stores keep a copy of it (package seal): its last line,
// and the number of the entry in that. The zero SealHead is that of no log.
type SealHead struct {
	Number int64
	Line   string
}

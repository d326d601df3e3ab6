package graph

// blocks is an array that grows by blocks, its elements numbered from 1. To grow one array
// is to have it twice while it is copied, which a session of a million actions has no room
// for. What has no pointers in it no garbage collector goes through.
type blocks[T any] struct {
	list [][]T
	n    int32 // the last number
}

// blockLen gives blocks of whole pages: what the allocator rounds up is lost.
const blockLen = 1024

// at returns an element. The pointer is good until the next add.
func (b *blocks[T]) at(i int32) *T { return &b.list[uint32(i)/blockLen][uint32(i)%blockLen] }

// add returns the number of a new element.
func (b *blocks[T]) add() int32 {
	b.n++
	k := int(uint32(b.n) / blockLen)
	if k == len(b.list) {
		b.list = append(b.list, nil)
	}
	switch last := &b.list[k]; {
	case k > 0 && *last == nil:
		*last = make([]T, 1, blockLen)
	case k > 0:
		*last = (*last)[:len(*last)+1]
	default: // it grows as far as it must: most sessions are short
		for len(*last) <= int(b.n) {
			var zero T
			*last = append(*last, zero)
		}
	}
	return b.n
}

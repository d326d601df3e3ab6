package claude

import (
	"encoding/json"

	"github.com/actiongraph/actiongraph/schema"
)

// cursor goes through JSON once, into the objects and arrays that the caller asks for and
// over all other values, and checks it on the way. It is what lets a transcript be read at
// the speed of its disk: every byte of a long text is looked at once, not once to see
// whether it is JSON and once for each object that it is in.
//
// Where the JSON is not valid the cursor is at its end: nothing is there to enter or to
// take any more, and whole says so.
type cursor struct {
	b     []byte
	i     int
	key   []byte // of the member that the cursor is at, still escaped
	todo  bool   // the value at i has been neither taken nor entered
	first bool   // nothing of the container that was entered last has been passed
	depth int    // containers that are open
	bad   bool

	texts *schema.Texts // may be nil
}

// enter goes into the object or array that the cursor is at.
func (c *cursor) enter() {
	c.i = c.space(c.i)
	if k := c.at(); k != '{' && k != '[' {
		c.fail()
		return
	}
	c.todo, c.first = false, true
	c.depth++
	c.i++
}

// member goes to the value of the next member of the object that was entered; at the
// end of the object it leaves it and returns false.
func (c *cursor) member() bool {
	if !c.next('}') {
		return false
	}
	if c.at() != '"' {
		return c.fail()
	}
	start := c.i
	end := schema.ValidEnd(c.b, start, c.depth)
	if end < 0 {
		return c.fail()
	}
	c.key = c.b[start+1 : end-1]
	if c.i = c.space(end); c.at() != ':' {
		return c.fail()
	}
	c.i = c.space(c.i + 1)
	c.todo = true
	return true
}

// element goes to the next element of the array that was entered; at the end of the
// array it leaves it and returns false.
func (c *cursor) element() bool {
	if !c.next(']') {
		return false
	}
	c.todo = true
	return true
}

// next goes behind what separates the next member or element from the one before, or
// leaves the container that ends with end.
func (c *cursor) next(end byte) bool {
	if c.todo {
		c.value()
	}
	if c.bad {
		return false
	}
	c.i = c.space(c.i)
	switch c.at() {
	case end:
		c.i++
		c.depth--
		c.first = false
		return false
	case ',':
		if c.first {
			return c.fail()
		}
		c.i = c.space(c.i + 1)
		if c.at() == end {
			return c.fail()
		}
	default:
		if !c.first {
			return c.fail()
		}
	}
	c.first = false
	return true
}

// value takes the value that the cursor is at, nil where that is none.
func (c *cursor) value() json.RawMessage {
	c.todo = false
	start := c.space(c.i)
	end := schema.ValidEnd(c.b, start, c.depth)
	if end < 0 {
		c.fail()
		return nil
	}
	c.i = end
	return c.b[start:end:end]
}

// text takes a string; any other value is "".
func (c *cursor) text() string { return c.texts.Unquote(c.value()) }

// at returns the first byte of the value that the cursor is at, 0 at the end.
func (c *cursor) at() byte {
	if c.i >= len(c.b) {
		return 0
	}
	return c.b[c.i]
}

func (c *cursor) fail() bool {
	c.bad, c.todo, c.i = true, false, len(c.b)
	return false
}

// whole reports whether the cursor has gone through one valid value with nothing behind it.
func (c *cursor) whole() bool { return !c.bad && c.depth == 0 && c.space(c.i) == len(c.b) }

func (c *cursor) space(i int) int {
	for i < len(c.b) && (c.b[i] == ' ' || c.b[i] == '\t' || c.b[i] == '\n' || c.b[i] == '\r') {
		i++
	}
	return i
}

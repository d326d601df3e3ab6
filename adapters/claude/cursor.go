package claude

import (
	"encoding/json"

	"github.com/actiongraph/actiongraph/schema"
)

// cursor goes through valid JSON once, into the objects and arrays that the caller
// asks for and over all other values. It is what lets a transcript be read at the
// speed of its disk: every byte of a long text is looked at once more, not once for
// each object that it is in.
type cursor struct {
	b    []byte
	i    int
	key  []byte // of the member that the cursor is at, still escaped
	todo bool   // the value at i has been neither taken nor entered

	texts *schema.Texts // may be nil
}

// enter goes into the object or array that the cursor is at.
func (c *cursor) enter() {
	c.todo = false
	c.i = c.space(c.i) + 1
}

// member goes to the value of the next member of the object that was entered; at the
// end of the object it leaves it and returns false.
func (c *cursor) member() bool {
	if !c.element() {
		return false
	}
	end, _ := schema.ValueEnd(c.b[c.i:])
	c.key = c.b[c.i+1 : c.i+end-1]
	c.i = c.space(c.space(c.i+end) + 1) // after the colon
	return true
}

// element goes to the next element of the array that was entered; at the end of the
// array it leaves it and returns false.
func (c *cursor) element() bool {
	if c.todo {
		c.value()
	}
	c.i = c.space(c.i)
	if c.b[c.i] == ',' {
		c.i = c.space(c.i + 1)
	}
	if c.b[c.i] == '}' || c.b[c.i] == ']' {
		c.i++
		return false
	}
	c.todo = true
	return true
}

// value takes the value that the cursor is at.
func (c *cursor) value() json.RawMessage {
	start := c.space(c.i)
	end, _ := schema.ValueEnd(c.b[start:])
	c.i = start + end
	c.todo = false
	return c.b[start:c.i:c.i]
}

// text takes a string; any other value is "".
func (c *cursor) text() string { return c.texts.Unquote(c.value()) }

// at returns the first byte of the value that the cursor is at.
func (c *cursor) at() byte { return c.b[c.i] }

func (c *cursor) space(i int) int {
	for i < len(c.b) && (c.b[i] == ' ' || c.b[i] == '\t' || c.b[i] == '\n' || c.b[i] == '\r') {
		i++
	}
	return i
}

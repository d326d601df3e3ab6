package claude

import (
	"encoding/json"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// message is what a user's or assistant's line says: of an assistant's, one answer of
// the model API, of which a line holds one block or, in old versions, all. Raw fields
// alias the line.
type message struct {
	id, model, stopReason string
	usage                 json.RawMessage
	text                  json.RawMessage // of a message that is one string
	blocks                []block
	listed                bool // whether content is a list of blocks
}

// block is one element of a message's content.
type block struct {
	raw                            json.RawMessage
	typ, id, name, toolUseID       string
	text, thinking, input, content json.RawMessage
	isError                        bool
}

// read reads the message that c is at: an object, or in old lines a string.
func (m *message) read(c *cursor) {
	if c.at() != '{' {
		m.content(c)
		return
	}
	for c.enter(); c.member(); {
		switch string(c.key) {
		case "id":
			m.id = c.text()
		case "model":
			m.model = c.text()
		case "stop_reason":
			m.stopReason = c.text()
		case "usage":
			m.usage = c.value()
		case "content":
			m.content(c)
		}
	}
}

func (m *message) content(c *cursor) {
	switch c.at() {
	case '"':
		m.text = c.value()
	case '[':
		m.listed = true
		for c.enter(); c.element(); {
			m.blocks = append(m.blocks, readBlock(c))
		}
	}
}

func readBlock(c *cursor) (b block) {
	start := c.i
	if c.at() != '{' {
		if b.raw = c.value(); len(b.raw) > 0 && b.raw[0] == '"' {
			b.typ, b.text = "text", b.raw
		}
		return b
	}
	for c.enter(); c.member(); {
		switch string(c.key) {
		case "type":
			b.typ = c.text()
		case "id":
			b.id = c.text()
		case "name":
			b.name = c.text()
		case "tool_use_id":
			b.toolUseID = c.text()
		case "text":
			b.text = c.value()
		case "thinking":
			b.thinking = c.value()
		case "input":
			b.input = c.value()
		case "content":
			b.content = c.value()
		case "is_error":
			b.isError = isTrue(c.value())
		}
	}
	b.raw = c.b[start:c.i:c.i]
	return b
}

// allText returns the texts of a message, joined.
func (m *message) allText() string {
	if m.text != nil {
		return schema.Unquote(m.text)
	}
	var texts []string
	for _, b := range m.blocks {
		if b.typ == "text" {
			texts = append(texts, schema.Unquote(b.text))
		}
	}
	return strings.Join(texts, "\n")
}

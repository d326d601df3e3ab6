package connector

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/actiongraph/actiongraph/graph"
)

// appendOp encodes an op: its kind, names and properties, each text after its length.
// Values are those that graph.Prop allows.
func appendOp(dst []byte, op *graph.Op) ([]byte, error) {
	dst = append(dst, byte(op.Kind))
	props := op.Node.Props
	switch op.Kind {
	case graph.PutNode, graph.DelNode:
		dst = appendTexts(dst, string(op.Node.Label), op.Node.Key, string(op.Node.Type))
	default:
		k, p := op.Edge.EdgeKey, op.Edge.Props
		dst = appendTexts(dst, string(k.Type), string(k.From.Label), k.From.Key, string(k.To.Label), k.To.Key)
		props = p
	}
	dst = binary.AppendUvarint(dst, uint64(len(props)))
	for _, p := range props {
		dst = appendTexts(dst, p.Name)
		switch v := p.Value.(type) {
		case nil:
			dst = append(dst, 'n')
		case string:
			dst = appendTexts(append(dst, 's'), v)
		case int64:
			dst = binary.AppendVarint(append(dst, 'i'), v)
		case graph.Time:
			dst = binary.AppendVarint(append(dst, 't'), int64(v))
		case float64:
			dst = binary.LittleEndian.AppendUint64(append(dst, 'f'), math.Float64bits(v))
		case bool:
			if v {
				dst = append(dst, '1')
			} else {
				dst = append(dst, '0')
			}
		default:
			return dst, fmt.Errorf("property %s is a %T, which no store holds", p.Name, v)
		}
	}
	return dst, nil
}

func appendTexts(dst []byte, texts ...string) []byte {
	for _, s := range texts {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return dst
}

// opReader decodes what appendOp made, one op after the other. Texts are pieces of its own.
type opReader struct {
	s   string
	err error
}

var errOp = errors.New("the temporary file of the comparison is damaged")

func (r *opReader) next() (op graph.Op) {
	switch op.Kind = graph.OpKind(r.bytes(1)[0]); op.Kind {
	case graph.PutNode, graph.DelNode:
		op.Node = graph.Node{Ref: graph.Ref{Label: graph.Label(r.text()), Key: r.text()}, Type: graph.ActionType(r.text()), Props: r.props()}
	default:
		op.Edge.Type = graph.EdgeType(r.text())
		op.Edge.From = graph.Ref{Label: graph.Label(r.text()), Key: r.text()}
		op.Edge.To = graph.Ref{Label: graph.Label(r.text()), Key: r.text()}
		op.Edge.Props = r.props()
	}
	return op
}

func (r *opReader) props() []graph.Prop {
	n := r.length()
	if n == 0 {
		return nil
	}
	props := make([]graph.Prop, 0, min(n, 64))
	for range n {
		if props = append(props, graph.Prop{Name: r.text(), Value: r.value()}); r.err != nil {
			return nil
		}
	}
	return props
}

func (r *opReader) value() any {
	switch r.bytes(1)[0] {
	case 's':
		return r.text()
	case 'i':
		return r.varint()
	case 't':
		return graph.Time(r.varint())
	case 'f':
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte(r.bytes(8))))
	case '1':
		return true
	case '0':
		return false
	}
	return nil
}

func (r *opReader) text() string { return r.bytes(r.length()) }

// length reads a number of things that are still to come: no more than there are bytes.
func (r *opReader) length() int {
	n, size := uint64(0), 0
	for shift := 0; size < len(r.s) && size < binary.MaxVarintLen64; shift += 7 {
		b := r.s[size]
		size++
		if n |= uint64(b&0x7f) << shift; b < 0x80 {
			break
		}
	}
	r.s = r.s[size:]
	if n > uint64(len(r.s)) {
		r.err = errOp
		return 0
	}
	return int(n)
}

func (r *opReader) varint() int64 {
	v, size := binary.Varint([]byte(r.s[:min(len(r.s), binary.MaxVarintLen64)]))
	if size <= 0 {
		r.err = errOp
		return 0
	}
	r.s = r.s[size:]
	return v
}

// bytes cuts the next n bytes off; zeros where there are not so many.
func (r *opReader) bytes(n int) string {
	if n > len(r.s) {
		r.err, r.s = errOp, ""
		return string(make([]byte, n))
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

package jsonl

import (
	"bytes"

	"github.com/actiongraph/actiongraph/schema"
)

// ParseBatch reads {"grains":[…]}, an array of grains or one grain, all or none. Of src it
// takes Namespace, that of grains that name none, and KeepUnknown, without which a grain
// that is no action is an error. The error is a *LineError whose Item is the index, -1
// where raw is no batch. The grains alias nothing of raw.
func ParseBatch(raw []byte, src *Source) ([]Grain, error) {
	var batch []Grain
	_, err := eachGrain(raw, src, nil, func(g *Grain) { batch = append(batch, *g) })
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// eachGrain calls yield for the grains of a batch, until one is wrong. alone is one grain
// that is in no batch. texts may be nil.
func eachGrain(raw []byte, src *Source, texts *schema.Texts, yield func(*Grain)) (alone bool, err error) {
	if !schema.Valid(raw) {
		return false, notJSON(raw)
	}
	v := value{line: raw, end: len(raw)}
	v.skip()
	list := v
	switch v.first() {
	case '{':
		list = value{}
		if !bytes.Contains(raw, []byte(`"grains"`)) {
			break // as most lines: no need to look at its members
		}
		if list, src, err = batchOf(v, src); err != nil {
			return false, err
		}
	case '[':
	default:
		return false, v.fault("", "want a grain or {\"grains\":[…]}, got %s", v.what())
	}
	var g Grain
	if !list.there() {
		if fault := g.read(v, src, texts); fault != nil {
			return true, fault
		}
		yield(&g)
		return true, nil
	}
	for i, item := range list.elements() {
		if fault := g.read(item, src, texts); fault != nil {
			fault.Item = i
			return false, fault
		}
		yield(&g)
	}
	return false, nil
}

// batchOf returns the list of {"grains":[…]}, and the source with the namespace that may
// stand beside it; no value where v has no grains.
func batchOf(v value, src *Source) (list value, _ *Source, _ error) {
	if list = v.member("grains"); !list.there() {
		return list, src, nil
	}
	if list.first() != '[' {
		return list, src, list.fault("grains", "want a list of grains, got %s", list.what())
	}
	lists := 0
	for name, m := range v.members() {
		switch string(name) {
		case "grains":
			if lists++; lists > 1 { // the first would be gone without a word
				return list, src, m.fault("grains", "is there twice")
			}
		case "namespace":
			if !m.null() && m.text() == "" {
				return list, src, m.fault("namespace", "want a name, got %s", m.sample())
			}
			if err := CheckNamespace(m.text()); err != nil && !m.null() {
				return list, src, m.fault("namespace", "%w", err)
			}
			with := *src
			with.Namespace = m.text()
			src = &with
		default:
			return list, src, m.fault(string(name), "is nothing that a batch has; what a grain says stands in its fields")
		}
	}
	return list, src, nil
}

package storetest

import (
	"context"
	"testing"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/schema"
)

// SealHead returns what KeepSealHead was given last.
func (m *Memory) SealHead(_ context.Context, journal string) (schema.SealHead, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seals[journal], nil
}

// KeepSealHead keeps a head that is further than the one that is kept.
func (m *Memory) KeepSealHead(_ context.Context, journal string, head schema.SealHead) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if head.Number > m.seals[journal].Number {
		m.seals[journal] = head
	}
	return nil
}

// testSealHead: the copy of the end of a log of seals goes forward alone, and is a journal's own. Positions,
// and what is written of sessions, know nothing of it.
func testSealHead(t *testing.T, p *pair) {
	store, ok := p.store.(connector.Witness)
	if !ok {
		t.Fatal("it is no connector.Witness")
	}
	ctx := context.Background()
	want := map[string]schema.SealHead{}
	for _, step := range []struct {
		journal string
		head    schema.SealHead
	}{
		{journal, schema.SealHead{Number: 2, Line: `{"entry":"'\\"}`}},
		{journal, schema.SealHead{Number: 5, Line: "the fifth"}},
		{journal, schema.SealHead{Number: 4, Line: "an older one"}},
		{journal, schema.SealHead{Number: 5, Line: "another fifth"}},
		{"another", schema.SealHead{Number: 1, Line: "the first"}},
	} {
		if err := store.KeepSealHead(ctx, step.journal, step.head); err != nil {
			t.Fatal(err)
		}
		if step.head.Number > want[step.journal].Number {
			want[step.journal] = step.head
		}
		p.apply("s", small("s")...)
		for _, j := range []string{journal, "another", "nobody's"} {
			if got, err := store.SealHead(ctx, j); err != nil || got != want[j] {
				t.Fatalf("journal %s: the store has %+v, %v; want %+v", j, got, err, want[j])
			}
		}
	}
	p.forget("s")
	if got, err := store.SealHead(ctx, journal); err != nil || got != want[journal] {
		t.Fatalf("after a forget the store has %+v, %v; want %+v", got, err, want[journal])
	}
}

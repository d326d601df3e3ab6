package connector

import (
	"context"
	"slices"
	"sync"
)

// gathered is what changed since it was last taken.
type gathered struct {
	wake chan struct{}
	mu   sync.Mutex
	set  map[string]bool
}

// gather receives changes whatever the replica is busy with: one that waits for
// its store must not hold up the others, which get the same changes.
func gather(ctx context.Context, changes <-chan []string) (*gathered, func()) {
	g := &gathered{wake: make(chan struct{}, 1), set: map[string]bool{}}
	ctx, cancel := context.WithCancel(ctx)
	var receiving sync.WaitGroup
	receiving.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sessions, ok := <-changes:
				if !ok {
					return
				}
				g.put(sessions)
			}
		}
	})
	return g, func() { cancel(); receiving.Wait() }
}

func (g *gathered) put(sessions []string) {
	g.mu.Lock()
	for _, s := range sessions {
		g.set[s] = true
	}
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *gathered) take() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	sessions := make([]string, 0, len(g.set))
	for s := range g.set {
		sessions = append(sessions, s)
	}
	clear(g.set)
	slices.Sort(sessions)
	return sessions
}

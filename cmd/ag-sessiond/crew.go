package main

import (
	"context"
	"slices"
	"sync"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// crew are followers of a journal that come and go while others go on. For connector.Follow
// it is one follower.
type crew struct {
	ctx     context.Context // ends all
	journal *journal.Journal

	mu      sync.Mutex
	members []*member
	told    bool // the first report, which names all sessions, is out
	ended   bool
	running sync.WaitGroup
}

type member struct {
	inbox chan []string
	done  chan struct{} // it ended
}

// add begins a follower, and returns what ends it and waits for that. One that comes late
// receives all sessions first, as the others did.
func (c *crew) add(f connector.Follower) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return func() {}
	}
	ctx, cancel := context.WithCancel(c.ctx)
	m := &member{inbox: make(chan []string), done: make(chan struct{})}
	c.members = append(c.members, m)
	c.running.Go(func() {
		defer close(m.done)
		defer cancel()
		f.Run(ctx, m.inbox)
	})
	if c.told {
		c.running.Go(func() { m.receive(c.sessions()) })
	}
	return func() {
		cancel()
		<-m.done
		c.mu.Lock()
		defer c.mu.Unlock()
		c.members = slices.DeleteFunc(c.members, func(o *member) bool { return o == m })
	}
}

func (m *member) receive(sessions []string) {
	select {
	case m.inbox <- sessions:
	case <-m.done:
	}
}

// sessions are those that the journal has. What cannot be read now is reported when it
// changes.
func (c *crew) sessions() (all []string) {
	files, err := c.journal.Files()
	if err != nil {
		return nil
	}
	for _, f := range files {
		if !schema.IsPositionsID(f.Session) {
			all = append(all, f.Session)
		}
	}
	return all
}

// Run hands on what changed until ctx ends, and waits for the members.
func (c *crew) Run(ctx context.Context, changes <-chan []string) {
	defer func() {
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		c.running.Wait()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case sessions := <-changes:
			c.mu.Lock()
			c.told = true
			members := slices.Clone(c.members)
			c.mu.Unlock()
			for _, m := range members {
				m.receive(sessions)
			}
		}
	}
}

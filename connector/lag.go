package connector

import (
	"context"
	"errors"
	"fmt"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Lag is how far a store is behind the journal.
type Lag struct {
	Sessions int   `json:"sessions"` // with something that the store does not have
	Bytes    int64 `json:"bytes"`    // of journal that the store does not have
}

// Behind compares what a store holds with where the journal's files end, a torn tail
// aside: nothing will ever come of one, and it must not count forever. A file that
// shrank counts whole: all of it is to be folded again.
func Behind(ctx context.Context, j *journal.Journal, store Store) (Lag, error) {
	positions, err := store.Positions(ctx, j.ID())
	if err != nil {
		return Lag{}, fmt.Errorf("read the store's positions: %w", err)
	}
	gaps, err := findGaps(j, positions)
	return sum(gaps), err
}

// BehindBytes is Behind for a store whose positions are known, and files that were listed:
// who asks about several stores looks at the journal's folder once.
func BehindBytes(j *journal.Journal, files []journal.File, positions map[string]schema.Position) Lag {
	return sum(gapsIn(j, files, positions))
}

// gap is what a store does not have of one session.
type gap struct {
	session string
	from    schema.Position
	bytes   int64
}

func sum(gaps []gap) (lag Lag) {
	lag.Sessions = len(gaps)
	for _, g := range gaps {
		lag.Bytes += g.bytes
	}
	return lag
}

func findGaps(j *journal.Journal, positions map[string]schema.Position) ([]gap, error) {
	files, err := j.Files()
	if err != nil {
		return nil, err
	}
	return gapsIn(j, files, positions), nil
}

func gapsIn(j *journal.Journal, files []journal.File, positions map[string]schema.Position) (gaps []gap) {
	for _, f := range files {
		from := folded(positions[f.Session])
		if f.Size == from.Offset {
			continue
		}
		behind := f.Size
		if f.Size > from.Offset {
			end, err := j.End(f)
			if err != nil {
				end = f.Size // it cannot be read, and so is not in the store
			}
			if behind = end - from.Offset; behind <= 0 {
				continue
			}
		}
		gaps = append(gaps, gap{f.Session, from, behind})
	}
	return gaps
}

// maxCounted bounds what counting events reads, in bytes: it takes some 20 ms, however
// many days a store was away.
const maxCounted = 8 << 20

// EventLag is a Lag with the events in it.
type EventLag struct {
	Lag
	Events int64 `json:"events"`
	// Estimated says that Events was reckoned from the first 8 MiB of what is missing.
	Estimated bool `json:"estimated,omitempty"`
}

// BehindPositions is Behind for a store whose positions are known, and counts the
// events too.
func BehindPositions(ctx context.Context, j *journal.Journal, positions map[string]schema.Position) (EventLag, error) {
	gaps, err := findGaps(j, positions)
	lag := EventLag{Lag: sum(gaps)}
	var read int64
	for _, g := range gaps {
		if err := ctx.Err(); err != nil {
			return lag, err
		}
		if read >= maxCounted {
			break
		}
		events, bytes := countEvents(j, g, maxCounted-read)
		lag.Events += events
		read += bytes
	}
	if read > 0 && read < lag.Bytes {
		lag.Estimated = true
		lag.Events = int64(float64(lag.Events) * float64(lag.Bytes) / float64(read))
	}
	return lag, err
}

// countEvents counts the lines of a gap, in at most limit bytes and a line. It returns
// the bytes that it answers for: all where the file cannot be read, for then there is
// nothing to reckon with.
func countEvents(j *journal.Journal, g gap, limit int64) (events, bytes int64) {
	c, err := j.Read(g.session, g.from)
	if errors.Is(err, journal.ErrReplaced) {
		c, err = j.Read(g.session, schema.Position{})
	}
	if err != nil {
		return 0, g.bytes
	}
	defer c.Close()
	for ; bytes < limit; events++ {
		line, err := c.Next()
		if err != nil {
			return events, g.bytes
		}
		bytes += int64(len(line)) + 2
	}
	return events, bytes
}

package seal

import (
	"context"
	"fmt"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// ErrOtherLog is of a store whose copy is of another log: it is left alone.
var ErrOtherLog = errcode.New(errcode.SealBroken, "it has a copy of another log of seals, or of more of it: ag-sessiond verify --seal says more")

// Keep gives a store the end of the log, unless what the store has is not of this log. What it is
// known to have is not looked for in the log again.
func (s *Sealer) Keep(ctx context.Context, name string, store connector.Witness) error {
	had, err := store.SealHead(ctx, s.Journal.ID())
	if err != nil {
		return err
	}
	fresh := s.log == nil || had.Number > 0 && had != s.kept[name]
	if fresh {
		g, of := newLog(s.Journal.Home()), had.Number == 0
		_, err := g.read(func(e Entry) { of = of || e.Number == had.Number && string(g.tip) == had.Line })
		if err != nil {
			return fmt.Errorf("seal: %w", err)
		}
		if !of {
			return ErrOtherLog
		}
		s.log = g
	}
	end := s.log.end()
	if end.Number > had.Number {
		if err := store.KeepSealHead(ctx, s.Journal.ID(), end); err != nil {
			return err
		}
	}
	if s.kept == nil {
		s.kept = map[string]schema.SealHead{}
	}
	s.kept[name] = end
	return nil
}

// Ends returns the last line of a home's log, for who keeps a copy of it elsewhere.
func Ends(j *journal.Journal) (schema.SealHead, error) {
	g := newLog(j.Home())
	if _, err := g.read(nil); err != nil {
		return schema.SealHead{}, fmt.Errorf("seal: %w", err)
	}
	return g.end(), nil
}

// ParseEnd reads a line of a log that somebody kept.
func ParseEnd(text string) (schema.SealHead, error) {
	_, e, err := parseLine([]byte(text))
	return schema.SealHead{Number: e.Number, Line: text}, err
}

// AskCopy asks a store for its copy. Of one that does not answer in time the Copy says so.
func AskCopy(ctx context.Context, name string, store connector.Witness, journal string, patience time.Duration) Copy {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	head, err := store.SealHead(ctx, journal)
	if err != nil {
		return Copy{Store: name, Error: err.Error()}
	}
	return CopyOf(name, head)
}

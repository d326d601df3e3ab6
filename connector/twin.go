package connector

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
)

// twins is what tells that another machine writes to the store as this journal: a virtual
// machine or a home that was copied has its id, too. Each of the two finds in the store
// what the other one wrote, does not find it in its own file, and puts its own in that
// place, in turns and for ever.
type twins struct {
	replaced map[string]int // how often a session's file did not match the store
	most     int            // of them
	said     bool
}

// manyTimes is how often that has to happen to one session, beside a conflict: a file
// that somebody restored from a backup is another one once.
const manyTimes = 3

func (t *twins) found(session string) {
	if t.replaced == nil {
		t.replaced = map[string]int{}
	}
	t.replaced[session]++
	t.most = max(t.most, t.replaced[session])
}

// twin returns err, or, where that is one conflict of many, what it comes from, which it
// also logs once: every line about a conflict sounds as if it were the last.
func (r *Replica) twin(err error) error {
	if !errors.Is(err, graph.ErrConflict) {
		return err
	}
	conflict := failure.New("", failure.StoreConflict, r.Name, time.Now().UTC().Format(time.DateOnly))
	conflict.Message, conflict.Store = err.Error(), r.Name
	r.Failures.Record(conflict, "somebody else wrote to the store; its sessions are compared and folded again")
	if r.twins.most < manyTimes {
		return err
	}
	err = fmt.Errorf("another machine uses this journal's id, %s, and each undoes what the other one wrote: this home is a copy; "+
		"stop the daemon of one of them, delete %s there and start it again: %w", r.Journal.ID(), filepath.Join(r.Journal.Home(), "id"), err)
	if !r.twins.said {
		r.twins.said = true
		copied := failure.New("", failure.JournalCopied, r.Journal.ID(), r.Name)
		copied.Message, copied.Store = err.Error(), r.Name
		r.tell(copied, "this home is a copy of another one that is in use")
	}
	return err
}

package connector

import (
	"fmt"
	"maps"
	"slices"

	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/schema"
)

// What a replica notices of the record while it folds. The key of each failure is what
// failed, so that any number of replicas, and a session that is folded again, notice the same.

// privateRule is of what somebody wrote between <private> tags, and wants left out.
const privateRule = "private"

// torn notices a line that is no record.
func (f *folding) torn(session string, offset int64) {
	torn := failure.New(session, failure.JournalTorn, fmt.Sprint(offset))
	torn.Message, torn.Offset = "a line is no record; its writer did not finish it", &offset
	f.Failures.Record(torn, "a line of the journal is torn; skipped")
}

// replaced notices that a session's file is not the one that a position is of.
func (f *folding) replaced(session string, was schema.Position) {
	replaced := failure.New(session, failure.JournalReplaced, fmt.Sprint(was.Offset, was.Sum, was.First))
	replaced.Message, replaced.Offset = "the journal file is not the one that was folded", &was.Offset
	f.tell(replaced, "the journal file is not the one that was folded; folding it again from its beginning")
}

// notice looks for what an event says went wrong on its way. Nothing of its content is in the
// failure, which names the event.
func (f *folding) notice(e *schema.Event) {
	if f.Failures == nil || e.OfRecorder() {
		return
	}
	if e.EventType == schema.Unknown && schema.FieldString(e.Metadata, schema.MetaHookError) != "" {
		payload := failure.New(e.SessionID, failure.HookPayload, e.EventID)
		payload.Message, payload.CausedBy = "a hook's payload is none that this version understands; it is recorded as it came", e.EventID
		f.Failures.Record(payload, "a hook's payload is recorded as an unknown event")
	}
	if len(e.Redacted) == 0 {
		return
	}
	for _, rule := range slices.Sorted(maps.Keys(e.Redacted)) {
		if rule == privateRule {
			continue
		}
		hit := failure.New(e.SessionID, failure.RedactionHit, rule)
		hit.Message, hit.CausedBy, hit.Rule = "a credential was taken out; this is the first event of the session that it was in", e.EventID, rule
		f.Failures.Record(hit, "a credential was taken out of what is recorded")
	}
}

// refusedBy notices that the store refuses a session.
func (p *pass) refusedBy(session string, err error) {
	refused := failure.New(session, failure.StoreRefused, p.Name)
	refused.Message, refused.ErrorType, refused.Store = err.Error(), logline.ErrorType(err), p.Name
	p.Failures.Record(refused, "the store refuses a session; trying again, nothing is lost")
}

// tell has a failure recorded, which says it in the log, or says it there alone.
func (r *Replica) tell(f failure.Failure, message string) {
	if !r.Failures.Record(f, message) {
		r.Log.WithLevel(logline.Level(f.Reason)).EmbedObject(logline.Of(f)).Msg(message)
	}
}

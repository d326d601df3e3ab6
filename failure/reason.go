// Package failure is what can go wrong while an agent is recorded: a closed taxonomy of
// reasons, which logs, metrics and events use alike, and the events themselves.
//
// A failure interrupts nobody: the rest is recorded, and the failure is an event of the
// session that it happened to, so that who looks at a session sees what its record lacks.
// docs/failures.md says of each reason what it means, what is lost, and what to do.
package failure

import "strings"

// Reason names what went wrong: <what failed>.<how>. It does not change from version to
// version: alerts and dashboards are built on it.
type Reason string

// The reasons of events. The first half is about the record itself.
const (
	JournalTorn       Reason = "journal.torn"         // a line that its writer did not finish
	JournalRefused    Reason = "journal.line_refused" // a whole line that is no event
	JournalNewer      Reason = "journal.newer"        // a line of a newer version
	JournalReplaced   Reason = "journal.replaced"     // a file that is not the one that was folded
	JournalUnreadable Reason = "journal.unreadable"
	JournalCopied     Reason = "journal.copied" // two homes with one id write to one store

	HookPayload   Reason = "hook.payload"   // a payload that no adapter understands
	HookCancelled Reason = "hook.cancelled" // the runtime ended our hook before it was done

	RedactionHit Reason = "redaction.hit" // a credential was taken out of an event

	TranscriptUnreadable Reason = "transcript.unreadable"
	TranscriptBroken     Reason = "transcript.broken_line"
	TranscriptReplaced   Reason = "transcript.replaced"
	TranscriptLost       Reason = "transcript.lost" // it went before all of it was read
	TranscriptUnknown    Reason = "transcript.unknown"
	TranscriptIndex      Reason = "transcript.index"
	TranscriptNoFolder   Reason = "transcript.no_folder"

	SourceUnreadable Reason = "source.unreadable"
	SourceBroken     Reason = "source.broken_line"
	SourceDocument   Reason = "source.broken_document"
	SourceReplaced   Reason = "source.replaced"
	SourceForeign    Reason = "source.foreign" // a file that is of no format that is read
	SourceWaiting    Reason = "source.waiting" // the end of a JSON value is missing
	SourceUnknown    Reason = "source.unknown"
	SourceHome       Reason = "source.home" // the journal itself, given as a source
	SourcePipe       Reason = "source.pipe"
)

// The reasons of stores.
const (
	StoreRefused     Reason = "store.refused"  // it takes all but some sessions
	StoreConflict    Reason = "store.conflict" // somebody else wrote to it
	StoreDiverged    Reason = "store.diverged" // it is not what the journal says
	StoreOlder       Reason = "store.older"
	StoreMaintenance Reason = "store.maintenance"
	StoreFailed      Reason = "store.failed" // none of the others: the message says what
	StoreTimeout     Reason = "store.timeout"
	StoreUnreachable Reason = "store.unreachable"
	StoreTLS         Reason = "store.tls"
	StorePort        Reason = "store.port"
	StoreLogin       Reason = "store.login"
	StoreExpired     Reason = "store.password_expired"
	StoreForbidden   Reason = "store.forbidden"
	StoreNoDatabase  Reason = "store.no_database"
	StoreNoIndex     Reason = "store.no_index"
	StoreReadOnly    Reason = "store.read_only"
	StoreStopped     Reason = "store.stopped"
	StoreFull        Reason = "store.full"
	StoreVersion     Reason = "store.version"
	StoreDuplicates  Reason = "store.duplicates"
	StoreNoCluster   Reason = "store.no_cluster"
)

// The reasons of the daemon.
const (
	FoldRevision     Reason = "fold.revision" // another version folded the session
	ConfigBroken     Reason = "config.broken"
	StatusUnwritable Reason = "status.unwritable"
	RunFailed        Reason = "run.failed"
	RunWaiting       Reason = "run.waiting" // for another process that writes the store
	AbandonedFailed  Reason = "abandoned.failed"
	RetentionFailed  Reason = "retention.failed"
	PackFailed       Reason = "pack.failed"
	SealFailed       Reason = "seal.failed"
	ScrubUnfinished  Reason = "secrets.scrub"
	Unrecorded       Reason = "failure.unrecorded" // a failure that could not be recorded
	APIFailed        Reason = "api.failed"
	APIEnded         Reason = "api.ended"
	APIConnection    Reason = "api.connection"
	APISocket        Reason = "api.socket"
	APIStopped       Reason = "api.stopped"
	TailHintsLost    Reason = "tail.hints_lost"
	TailNoHints      Reason = "tail.no_notifications"
	TailUnreadable   Reason = "tail.unreadable"
)

// Reasons returns every reason: the taxonomy is closed.
func Reasons() []Reason {
	return []Reason{
		JournalTorn, JournalRefused, JournalNewer, JournalReplaced, JournalUnreadable, JournalCopied,
		HookPayload, HookCancelled, RedactionHit,
		TranscriptUnreadable, TranscriptBroken, TranscriptReplaced, TranscriptLost, TranscriptUnknown,
		TranscriptIndex, TranscriptNoFolder,
		SourceUnreadable, SourceBroken, SourceDocument, SourceReplaced, SourceForeign, SourceWaiting,
		SourceUnknown, SourceHome, SourcePipe,
		StoreRefused, StoreConflict, StoreDiverged, StoreOlder, StoreMaintenance, StoreFailed, StoreTimeout,
		StoreUnreachable, StoreTLS, StorePort, StoreLogin, StoreExpired, StoreForbidden, StoreNoDatabase,
		StoreNoIndex, StoreReadOnly, StoreStopped, StoreFull, StoreVersion, StoreDuplicates, StoreNoCluster,
		FoldRevision, ConfigBroken, StatusUnwritable, RunFailed, RunWaiting, AbandonedFailed, RetentionFailed,
		PackFailed, SealFailed, ScrubUnfinished, Unrecorded,
		APIFailed, APIEnded, APIConnection, APISocket, APIStopped,
		TailHintsLost, TailNoHints, TailUnreadable,
	}
}

const docs = "https://github.com/actiongraph/actiongraph/blob/main/docs/failures.md#"

// Doc is where the reason is explained. GitHub's anchor of a heading leaves its dots out.
func (r Reason) Doc() string { return docs + strings.ReplaceAll(string(r), ".", "") }

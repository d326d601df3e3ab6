// Package errcode is what kinds of errors a person or a Go caller can meet: a closed list of
// codes, each with a section in docs/errors.md and a category of the fourth seed's.
//
// An error that has a code is found by errors.As, and its category by errors.Is:
//
//	if errors.Is(err, errcode.ErrStorage) { … }      // any trouble with a store
//	if errcode.Of(err) == errcode.HomeLocked { … } // this one
//
// Of the seed's categories there is no PatternError, as nothing here subscribes to patterns, and no PackError.
// What goes wrong while an agent is recorded interrupts nobody: see package failure.
package errcode

import (
	"errors"
	"slices"
	"strings"
)

// The categories.
var (
	ErrConfiguration = errors.New("configuration error") // what was asked for, or config.toml
	ErrRegistration  = errors.New("registration error")  // hooks, their settings, the service
	ErrExecution     = errors.New("execution error")     // of a verb or call that was right
	ErrReplay        = errors.New("replay error")        // a store is not what the journal says
	ErrStorage       = errors.New("storage error")       // the journal, a store, the disk
)

// Code names one kind of error. It does not change from version to version.
type Code string

// The codes of errors that are made here, or in a command.
const (
	Usage         Code = "usage"
	Interrupted   Code = "interrupted"
	Internal      Code = "internal" // none of the others
	Declined      Code = "declined"
	Partial       Code = "partial"
	OutputFailed  Code = "output.failed"
	EditorFailed  Code = "editor.failed"
	DoctorFailed  Code = "doctor.failed"
	ConfigInvalid Code = "config.invalid"
	ConfigChanged Code = "config.changed"

	HomeUnknown     Code = "home.unknown"
	HomeMissing     Code = "home.missing"
	HomeNewer       Code = "home.newer"
	HomeLocked      Code = "home.locked"
	HomeUnavailable Code = "home.unavailable"
	HomeLeft        Code = "home.left"
	DaemonRunning   Code = "daemon.running"

	NotFound         Code = "not_found"
	SessionNotFound  Code = "session.not_found"
	SessionAmbiguous Code = "session.ambiguous"
	SessionElsewhere Code = "session.elsewhere"
	SessionForgotten Code = "session.forgotten"
	SessionResume    Code = "session.resume"
	SessionRunning   Code = "session.running"
	SessionNotThen   Code = "session.not_then"
	DaemonNotRunning Code = "daemon.not_running"
	DaemonAddress    Code = "daemon.address"

	EventsURL         Code = "events.url" // of event stores
	EventsCorrupted   Code = "events.corrupted"
	EventsVersion     Code = "events.version"
	EventsNoStore     Code = "events.no_store"
	EventsUnavailable Code = "events.unavailable"
	ReplayHeld        Code = "replay.held"
	SessionExists     Code = "session.exists"
	SessionLeftOut    Code = "session.left_out"
	CollectorFailed   Code = "collector.failed"
	SealBroken        Code = "seal.broken"
	SealNothing       Code = "seal.nothing"
	SealKey           Code = "seal.key"

	EventInvalid      Code = "event.invalid"
	EventNewer        Code = "event.newer"
	JournalReplaced   Code = "journal.replaced"
	JournalUnreadable Code = "journal.unreadable"
	QuestionLong      Code = "question.long"
	StatementWrites   Code = "statement.writes"
	StatementBad      Code = "statement.refused"

	InstallNoHook    Code = "install.no_hook"
	InstallFailed    Code = "install.failed"
	ServiceFailed    Code = "service.failed"
	ServiceNoManager Code = "service.no_manager"
	ServiceMissing   Code = "service.missing"

	SecretsFound  Code = "secrets.found"
	SecretsLeft   Code = "secrets.left"
	SecretsUnread Code = "secrets.unread"

	FilePermission Code = "file.permission"
	FileMissing    Code = "file.missing"
	FileUnusable   Code = "file.unusable"
	DiskFull       Code = "disk.full"

	HookLost   Code = "hook.lost"   // in hook.log
	HookWarned Code = "hook.warned" // likewise
)

// The codes of stores; those of a database are the reasons of package failure.
const (
	StoreDiffers     Code = "store.differs"
	StoreBehind      Code = "store.behind"
	StoreBusy        Code = "store.busy"
	StoreOlder       Code = "store.older"
	StoreUnavailable Code = "store.unavailable"
	StoreConflict    Code = "store.conflict"
	StoreRefused     Code = "store.refused"
	StoreFailed      Code = "store.failed"
	StoreTimeout     Code = "store.timeout"
	StoreUnreachable Code = "store.unreachable"
	StoreTLS         Code = "store.tls"
	StorePort        Code = "store.port"
	StoreLogin       Code = "store.login"
	StoreExpired     Code = "store.password_expired"
	StoreForbidden   Code = "store.forbidden"
	StoreNoDatabase  Code = "store.no_database"
	StoreNoIndex     Code = "store.no_index"
	StoreReadOnly    Code = "store.read_only"
	StoreStopped     Code = "store.stopped"
	StoreFull        Code = "store.full"
	StoreVersion     Code = "store.version"
	StoreDuplicates  Code = "store.duplicates"
	StoreNoCluster   Code = "store.no_cluster"
)

// Codes returns every code.
func Codes() []Code {
	return []Code{
		Usage, Interrupted, Internal, Declined, Partial, OutputFailed, EditorFailed, DoctorFailed, ConfigInvalid, ConfigChanged,
		HomeUnknown, HomeMissing, HomeNewer, HomeLocked, HomeUnavailable, HomeLeft, DaemonRunning,
		NotFound, SessionNotFound, SessionAmbiguous, SessionElsewhere, SessionForgotten, SessionResume, SessionRunning, SessionNotThen, DaemonNotRunning, DaemonAddress,
		EventsURL, EventsCorrupted, EventsVersion, EventsNoStore, EventsUnavailable, ReplayHeld,
		SessionExists, SessionLeftOut, CollectorFailed, SealBroken, SealNothing, SealKey,
		EventInvalid, EventNewer, JournalReplaced, JournalUnreadable, QuestionLong, StatementWrites, StatementBad,
		InstallNoHook, InstallFailed, ServiceFailed, ServiceNoManager, ServiceMissing, SecretsFound, SecretsLeft, SecretsUnread,
		FilePermission, FileMissing, FileUnusable, DiskFull, HookLost, HookWarned,
		StoreDiffers, StoreBehind, StoreBusy, StoreOlder, StoreUnavailable, StoreConflict, StoreRefused, StoreFailed, StoreTimeout,
		StoreUnreachable, StoreTLS, StorePort, StoreLogin, StoreExpired, StoreForbidden, StoreNoDatabase, StoreNoIndex,
		StoreReadOnly, StoreStopped, StoreFull, StoreVersion, StoreDuplicates, StoreNoCluster,
	}
}

// Known reports whether c is a code.
func Known(c Code) bool { return slices.Contains(Codes(), c) }

// Category is the category of what has the code.
func (c Code) Category() error {
	switch kind, _, _ := strings.Cut(string(c), "."); {
	case c == StoreDiffers, c == StoreConflict, c == JournalReplaced, kind == "replay", kind == "seal":
		return ErrReplay
	case kind == "usage", kind == "config", kind == "question", kind == "statement", c == HomeUnknown:
		return ErrConfiguration
	case kind == "install", kind == "service", kind == "hook":
		return ErrRegistration
	case kind == "store", kind == "home", kind == "file", kind == "disk", kind == "event", kind == "events", kind == "journal":
		return ErrStorage
	}
	return ErrExecution
}

const docs = "https://github.com/actiongraph/actiongraph/blob/main/docs/errors.md#"

// Doc is where the code is explained. GitHub's anchor of a heading leaves its dots out.
func (c Code) Doc() string { return docs + strings.ReplaceAll(string(c), ".", "") }

// Error is an error with a code.
type Error struct {
	Code Code
	err  error
}

// New returns an error with a code, as errors.New does without: what a package exports for
// errors.Is.
func New(code Code, text string) error { return &Error{code, errors.New(text)} }

// With gives an error a code, which is found before those of what err wraps. nil stays nil.
func With(code Code, err error) error {
	if err == nil {
		return nil
	}
	return &Error{code, err}
}

func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error without its code.
func (e *Error) Unwrap() error { return e.err }

// Is makes errors.Is find the category.
func (e *Error) Is(target error) bool { return target == e.Code.Category() }

// Of returns the code of an error, "" where it has none.
func Of(err error) Code {
	var coded *Error
	if errors.As(err, &coded) {
		return coded.Code
	}
	return ""
}

package actiongraph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/internal/forget"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/journal/packed"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Options are what Open takes; the zero value is the default.
type Options struct {
	// LockWait is how long a question waits for another process that is writing to
	// the store, before it reads what is there: 50 ms.
	LockWait time.Duration
}

// Home is a directory with a journal and the embedded store beside it. Its methods
// may be called from many goroutines.
type Home struct {
	journal  *journal.Journal
	redactor *redact.Redactor
	lockWait time.Duration

	machine    sync.Once // fills in host and user
	host, user string

	mu       sync.Mutex
	store    *sqlite.Store // nil until the first question
	replica  *connector.Replica
	readOnly *sqlite.Store // for questions while another process writes, before store is open
}

// Open opens the home directory, which it makes where it is not there; "" is
// $AG_HOME, else ~/.actiongraph. The directory has to be on a local disk. The store
// in it is opened by the first question: a program that only records has none. A home
// that a newer version of this program has used is refused: journal.ErrNewerHome.
func Open(home string, o Options) (*Home, error) {
	j, err := packed.Adopt(cmp.Or(home, journal.DefaultHome()))
	if err != nil {
		return nil, err
	}
	// A configuration that cannot be read leaves in force what was, as it does for the hook:
	// see journal.Journal.Policy.
	_, _ = config.CompilePolicy(j.Home())
	_ = forget.Resume(j) // what it cannot do now stays begun, as ag-sessiond status says
	return &Home{
		journal: j, redactor: j.Redactor(""),
		lockWait: cmp.Or(o.LockWait, 50*time.Millisecond),
	}, nil
}

// Close releases the store. What was recorded needs no Close.
func (h *Home) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, store := range []*sqlite.Store{h.store, h.readOnly} {
		if store != nil {
			errs = append(errs, store.Close())
		}
	}
	h.store, h.replica, h.readOnly = nil, nil, nil
	return errors.Join(errs...)
}

// machine says which machine this is, and who runs this process.
func machine() (host, name string) {
	host, _ = os.Hostname()
	name = strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return host, name
}

// append is the only way into the journal: through redaction, which the type of
// what the journal takes enforces.
//
// It returns the lines of each session together, so that each file is opened once.
func (h *Home) append(events []schema.Event) ([]redact.Line, error) {
	lines := make([]redact.Line, len(events))
	for i := range events {
		lines[i] = h.redactor.Event(events[i])
	}
	slices.SortStableFunc(lines, func(a, b redact.Line) int { return strings.Compare(a.Session(), b.Session()) })
	return lines, h.journal.Append(lines...)
}

// Sync catches the store up with the journal and says what it did. If another
// process is writing to the store, the error wraps connector.ErrLocked.
func (h *Home) Sync(ctx context.Context) (connector.Report, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sync(ctx)
}

func (h *Home) sync(ctx context.Context) (report connector.Report, err error) {
	lock, err := connector.LockHome(h.journal.Home(), connector.GraphLock, h.lockWait)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if h.store == nil {
		if h.store, err = h.open(sqlite.Options{}); err != nil {
			return report, err
		}
		h.replica = &connector.Replica{Journal: h.journal, Store: h.store, Name: EmbeddedStore}
	}
	if report, err = h.replica.Sync(ctx, nil); err != nil {
		return report, fmt.Errorf("catch the store up with the journal: %w", err)
	}
	return report, nil
}

func (h *Home) open(o sqlite.Options) (*sqlite.Store, error) {
	return sqlite.Open(filepath.Join(h.journal.Home(), sqlite.FileName), o)
}

// Reader catches the store up with the journal and returns what answers every
// question about it, until Close. While another process, a daemon say, writes to
// the store, it is that one's to catch up, and Reader returns it as it is. If
// catching up fails and the store can be read all the same (one session's file is
// damaged), Reader returns both the reader and the error.
func (h *Home) Reader(ctx context.Context) (connector.Reader, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.sync(ctx)
	if errors.Is(err, connector.ErrLocked) {
		err = nil
	}
	if h.store != nil {
		return h.store, err
	}
	if h.readOnly == nil {
		store, openErr := h.open(sqlite.Options{ReadOnly: true})
		if openErr != nil {
			return nil, errors.Join(err, openErr)
		}
		h.readOnly = store
	}
	return h.readOnly, err
}

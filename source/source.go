package source

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/intake"
	"github.com/actiongraph/actiongraph/internal/lines"
	"github.com/actiongraph/actiongraph/internal/tail"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/redact"
	"github.com/actiongraph/actiongraph/schema"
)

// Reader reads files into a journal.
type Reader struct {
	Journal    *journal.Journal // nil: what is read is counted and not written
	Redactor   *redact.Redactor
	Host, User string // this machine, and whose files these are

	buffers lines.Buffers
	blocks  sync.Pool
}

// Options say how a file is read; the zero value finds out.
type Options struct {
	Format      jsonl.Format // "" looks at what is in the file
	Namespace   string       // of grains that name none
	KeepUnknown bool         // see jsonl.Source
	Strict      bool         // the first bad line ends the import
	DryRun      bool         // counts and writes nothing
}

func (o Options) check() error {
	if err := jsonl.CheckNamespace(cmp.Or(o.Namespace, jsonl.DefaultNamespace)); err != nil {
		return fmt.Errorf("the namespace %.100q: %w", o.Namespace, err)
	}
	return nil
}

// Problem is a line that was passed over, or a file that could not be read.
type Problem = intake.Problem

// FileReport says what was read of one file.
type FileReport struct {
	Path     string       `json:"path"`
	Format   jsonl.Format `json:"format"`
	Sessions []string     `json:"session_ids"` // the first few
	Bytes    int64        `json:"bytes"`
	Lines    int64        `json:"lines"`
	Events   int64        `json:"events"`
	Broken   int64        `json:"broken,omitempty"`
	Restart  bool         `json:"restart,omitempty"` // it was read before, and is another file now
	Waiting  int64        `json:"waiting,omitempty"` // bytes of a last line that is not whole yet
	Problems []Problem    `json:"problems,omitempty"`
}

// Report says what Import did.
type Report struct {
	Files     int `json:"files"`
	Unchanged int `json:"unchanged"`
	Read      int `json:"read"`
	Failed    int `json:"failed"`
	Sessions  int `json:"sessions"`
	// Forgotten counts sessions that the files tell of and that were forgotten: nothing of them is
	// recorded. What is counted beside includes what they say.
	Forgotten  int                   `json:"forgotten"`
	Bytes      int64                 `json:"bytes"`
	Lines      int64                 `json:"lines"`
	Events     int64                 `json:"events"`
	Blank      int64                 `json:"blank"`
	Broken     int64                 `json:"broken"`
	Waiting    int64                 `json:"waiting"`
	Kinds      map[string]int64      `json:"kinds"`         // lines by their kind
	Skipped    map[string]int64      `json:"skipped_kinds"` // of them: of which nothing is recorded
	Unknown    map[string]int64      `json:"unknown_kinds"` // of them: that this version does not know
	Types      map[schema.Type]int64 `json:"event_types"`
	PerFile    []FileReport          `json:"per_file"`
	Problems   []Problem             `json:"problems"`    // of no file in PerFile
	Foreign    []string              `json:"foreign"`     // files of no format that is known
	PassedOver int                   `json:"passed_over"` // files of folders that were not looked at, for their names
	Duration   time.Duration         `json:"duration_ns"`
}

// Progress is how far an Import is.
type Progress struct{ Bytes, TotalBytes, Lines int64 }

// ErrPartial says that some files or lines could not be read; the report names them.
// A file of no format that is known is none of these: Report.Foreign has it.
var ErrPartial = intake.ErrPartial

// Spec is what a Follower reads as it grows.
type Spec struct {
	Path string // a file, a folder or a glob; absolute
	Options
}

// Follower reads files into the journal as they grow. It is a connector.Follower.
type Follower struct {
	Reader *Reader
	Specs  []Spec
	Log    zerolog.Logger
	// Found, which may be nil, is told of each file once what it is is known; format "" is
	// none that is known. It is called from many goroutines.
	Found func(path string, format jsonl.Format)
	// Failed, which may be nil, is told what goes wrong, and says whether it is recorded, and so
	// in the log already.
	Failed func(f failure.Failure, message string) bool

	tail   tail.Tree // tests make it faster
	quick  bool      // so do they with what waits
	health intake.Tracker
}

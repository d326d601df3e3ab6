package secrets

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// MarkerFile is there while a scrub is at work, and after one that was killed.
const MarkerFile = "scrub.json"

// Marker says how far a scrub is.
type Marker struct {
	Started time.Time `json:"started"`
	PID     int       `json:"pid"`
	Step    string    `json:"step"`
}

// The steps of a scrub.
const (
	StepRewrite = "rewrite" // files of the journal are being replaced
	StepFold    = "fold"    // the daemon is asked to compact its store once it has caught up
	StepFolded  = "folded"  // it has done so
)

// Unfinished reports whether a scrub was begun and not ended: it is at work, or was killed.
func Unfinished(home string) (m Marker, is bool) {
	text, err := os.ReadFile(filepath.Join(home, MarkerFile))
	if err != nil {
		return m, !errors.Is(err, fs.ErrNotExist)
	}
	if json.Unmarshal(text, &m) != nil { // a power failure may leave it empty
		m = Marker{Step: StepRewrite}
	}
	return m, true
}

// Step writes down how far a scrub is that is unfinished.
func Step(home, step string) error {
	m, _ := Unfinished(home)
	m.Step = step
	return mark(home, m)
}

func mark(home string, m Marker) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	path := filepath.Join(home, MarkerFile)
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func unmark(home string) error {
	err := os.Remove(filepath.Join(home, MarkerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

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

// Marker says whose scrub it is.
type Marker struct {
	Started time.Time `json:"started"`
	PID     int       `json:"pid"`
}

// Unfinished reports whether a scrub was begun and not ended: it is at work, or was killed.
func Unfinished(home string) (m Marker, is bool) {
	text, err := os.ReadFile(filepath.Join(home, MarkerFile))
	if err != nil {
		return m, !errors.Is(err, fs.ErrNotExist)
	}
	_ = json.Unmarshal(text, &m) // a power failure may leave it empty: it says what it is by being there
	return m, true
}

func mark(home string, m Marker) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	path := filepath.Join(home, MarkerFile)
	err = os.WriteFile(path+".new", append(text, '\n'), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		err = errors.Join(err, removed(path+".new"))
	}
	return err
}

func unmark(home string) error { return removed(filepath.Join(home, MarkerFile)) }

func removed(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

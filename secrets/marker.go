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

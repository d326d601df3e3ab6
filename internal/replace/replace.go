// Package replace puts files in the place of others, whole or not at all.
package replace

import (
	"errors"
	"os"
	"path/filepath"
)

// File makes what write writes the file at path. It is written beside path first, under a name
// made of pattern (see os.CreateTemp), for its owner alone whatever the umask is, and is on the
// disk before it is renamed: a kill, a full disk or a power failure leaves the old file whole. A
// kill also leaves the file beside it. agree is asked last, right before the rename; its error
// leaves the old file. nil agrees. A link at path is replaced, not followed.
func File(path, pattern string, write func(*os.File) error, agree func() error) error {
	f, err := os.CreateTemp(filepath.Dir(path), pattern) // 0600
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil && agree != nil {
		err = agree()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Text is the write of a File that has this text.
func Text(text []byte) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.Write(text)
		return err
	}
}

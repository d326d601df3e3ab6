package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/replace"
	"github.com/actiongraph/actiongraph/policy"
)

// ErrChanged is that of a file which somebody else wrote meanwhile.
var ErrChanged = errcode.New(errcode.ConfigChanged, "the configuration was changed meanwhile by somebody else")

// Change replaces a home's file by what edit makes of its text, and reports whether that
// is another one; the policy in it is in force then. The file is replaced whole, by one that Check finds right, readable by
// its owner alone; where anything fails the old one stays. A link stays a link.
func Change(home string, edit func(text []byte) ([]byte, error)) (changed bool, err error) {
	path := filepath.Join(home, FileName)
	old, err := read(path)
	if err != nil {
		return false, err
	}
	text, err := edit(bytes.Clone(old))
	if err != nil {
		return false, err
	}
	if err := Check(home, text); err != nil {
		return false, fmt.Errorf("nothing is changed: then there would be an error in %w", err)
	}
	if bytes.Equal(old, text) {
		return false, nil
	}
	if err := keepsPolicy(home, old, text); err != nil {
		return false, err
	}
	if err := replaceText(path, old, text); err != nil {
		return false, err
	}
	_, err = compilePolicy(home, true)
	return true, err
}

// keepsPolicy refuses a first text that says nothing of what is recorded where the policy in force
// leaves something out, as the file that is gone, or was emptied, said: it would end that unasked.
func keepsPolicy(home string, old, text []byte) error {
	p, _ := policy.Load(home)
	if len(bytes.TrimSpace(old)) > 0 || p == nil || p.Rules().Zero() {
		return nil
	}
	l, err := layoutOf(text)
	if err != nil || slices.ContainsFunc(l.pairs, func(p pair) bool { return p.path[0] == "capture" || p.path[0] == "redact" }) {
		return err
	}
	return fmt.Errorf("nothing is changed: %s is gone or empty, and what it left out of the record still is; a new one without [capture] and [redact] would end that: "+
		"put it back, or set what is kept first: ag-sessiond config set capture.content full keeps everything", filepath.Join(home, FileName))
}

// read is a file's text, none where there is no file.
func read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return text, wrapRead(err)
	}
	// A link to dotfiles on a disk that is away is not a user's word that nothing is configured.
	if _, err := os.Lstat(path); err == nil {
		return nil, wrapRead(&fs.PathError{Op: "open", Path: path, Err: errors.New("it is a link that leads nowhere: put back what it leads to, or remove it")})
	}
	return nil, nil
}

func wrapRead(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the configuration: %w", err)
}

// replaceText puts a new file in the place of the one that had the text old. Two that do so at
// the same time: one of them is told.
func replaceText(path string, old, text []byte) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	err := replace.File(path, ".config-*", replace.Text(text), func() error {
		if now, err := read(path); err != nil || !bytes.Equal(now, old) {
			return errors.Join(ErrChanged, err)
		}
		return nil
	})
	if err != nil && !errors.Is(err, ErrChanged) {
		err = fmt.Errorf("write the configuration: %w", err)
	}
	return err
}

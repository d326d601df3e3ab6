package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/actiongraph/actiongraph/connector"
)

// mark begins the comment, in every kind of file, that says what a unit was written for.
const mark = "actiongraph: "

// marked is that comment's text. No two hyphens follow each other in it, which no comment
// of XML may have.
func marked(d Daemon) string {
	b, _ := json.Marshal(d) // strings alone
	return mark + strings.ReplaceAll(string(b), "--", `-\u002d`)
}

// read returns the text of a unit file and what it was written for, "" where there is no
// file. One that is not ours is an error.
func read(path string) (text string, d Daemon, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", d, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", d, err
	}
	text = decode(b)
	for line := range strings.Lines(text) {
		if _, said, ok := strings.Cut(line, mark+"{"); ok && json.NewDecoder(strings.NewReader("{"+said)).Decode(&d) == nil && d.Home != "" {
			return text, d, nil
		}
	}
	return "", d, fmt.Errorf("%s was not written by ag-sessiond service install: move it away, and run this again", path)
}

// Change is what Install or Uninstall did.
type Change struct {
	Unit
	Changed bool   `json:"changed"` // the file was written, or removed
	Text    string `json:"-"`       // of the file
	// Started says that the daemon was started, or started again.
	Started bool `json:"started"`
}

// Install writes the unit of a home, has it start now and at each login, and waits until
// the daemon runs. What is right already stays as it is. Where the manager refuses, or is
// not there (ErrNoManager), everything is as before.
func (h Host) Install(ctx context.Context, d Daemon) (Change, error) {
	m, u, err := h.unit(d.Home)
	c := Change{Unit: u}
	if err == nil {
		err = check(m, d)
	}
	if err == nil {
		err = m.ready(ctx)
	}
	if err != nil {
		return c, err
	}
	before, _, err := read(u.Path)
	if err == nil {
		err = h.free(ctx, m, u, d.Home)
	}
	if err != nil {
		return c, err
	}
	var s State
	if before != "" {
		m.state(ctx, u, &s)
	}
	_, running, err := connector.HeldBy(d.Home, connector.RunLock)
	if err != nil {
		return c, err
	}
	c.Text = m.text(u, d)
	c.Changed = c.Text != before
	if !c.Changed && s.Enabled && running {
		return c, nil
	}
	if c.Changed {
		if err := write(u.Path, c.Text); err != nil {
			return c, err
		}
	}
	if running { // as before: with the old binary
		err = errors.Join(m.stop(ctx, u), h.ended(ctx, d.Home))
	}
	if err == nil {
		err = m.register(ctx, u)
	}
	if err != nil {
		return c, errors.Join(err, h.undo(ctx, m, u, before, running))
	}
	c.Started = true
	return c, h.begin(ctx, m, u, d.Home)
}

// undo puts the file of before back, "" being none. ctx may have ended, which is why.
func (h Host) undo(ctx context.Context, m manager, u Unit, before string, running bool) error {
	ctx = context.WithoutCancel(ctx)
	if before == "" {
		m.forget(ctx, u) // what there is of it; why it failed is known
		if err := os.Remove(u.Path); err != nil {
			return fmt.Errorf("take it out by hand: %w", err)
		}
		m.gone(ctx, u)
		return nil
	}
	err := write(u.Path, before)
	if err == nil {
		err = m.register(ctx, u)
	}
	if err == nil && running {
		err = m.start(ctx, u)
	}
	return err
}

// Uninstall ends the daemon and takes the service out. Where the manager does not answer its
// file goes all the same, and a daemon that still runs is an error.
func (h Host) Uninstall(ctx context.Context, home string) (Change, error) {
	m, u, err := h.unit(home)
	c := Change{Unit: u}
	if err != nil {
		return c, err
	}
	if c.Text, _, err = read(u.Path); err != nil || c.Text == "" {
		return c, err
	}
	absent := m.ready(ctx)
	if absent == nil {
		if err := m.forget(ctx, u); err != nil {
			return c, err
		}
	}
	if err := os.Remove(u.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, err
	}
	c.Changed = true
	if err := m.gone(ctx, u); err != nil && absent == nil {
		return c, err
	}
	return c, h.ended(ctx, home)
}

// write replaces a file, and makes its folder.
func write(path, text string) error {
	dir, base := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	// One name, so that what a kill left behind is written over.
	fresh := filepath.Join(dir, "."+base+".new")
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(fresh) // where it was not renamed
	_, err = f.Write(encode(text))
	// Not 0600: systemd says at each reload that hiding a unit hides nothing.
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(fresh, path)
}

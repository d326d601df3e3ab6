//go:build unix

package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func page(w io.Writer) error {
	_, err := io.WriteString(w, "the page")
	return err
}

func contentOf(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func modeOf(t *testing.T, name string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestWriteFileIntoPipe(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("pipe", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{name, link} {
		// Opened for both, so that neither end waits for the other, even where this fails.
		reader, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeFile(path, page); err != nil {
			t.Fatal(err)
		}
		if modeOf(t, name)&fs.ModeNamedPipe == 0 || modeOf(t, link)&fs.ModeSymlink == 0 {
			t.Fatalf("writing %s replaced it", path)
		}
		got := make([]byte, 8)
		if _, err := io.ReadFull(reader, got); err != nil || string(got) != "the page" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
		reader.Close()
	}
}

func TestWriteFileOfLink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	target, link, dangling := filepath.Join(other, "page.md"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(target, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(target, link), os.Symlink("nowhere", dangling)); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, page); err != nil {
		t.Fatal(err)
	}
	if modeOf(t, link)&fs.ModeSymlink == 0 || contentOf(t, target) != "the page" || modeOf(t, target) != 0o640 {
		t.Errorf("link %v, its file %q of mode %v", modeOf(t, link), contentOf(t, target), modeOf(t, target))
	}
	if err := writeFile(dangling, page); err == nil || !strings.Contains(err.Error(), "a link that leads nowhere") {
		t.Errorf("a dangling link: %v", err)
	}
	if modeOf(t, dangling)&fs.ModeSymlink == 0 {
		t.Error("the dangling link was replaced")
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "page.md")
	broken := func(w io.Writer) error { return errors.Join(page(w), io.ErrUnexpectedEOF) }
	if err := writeFile(name, broken); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a writer that fails: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	if err := writeFile(name, page); err != nil || modeOf(t, name) != 0o600 {
		t.Errorf("a new file: %v, mode %v", err, modeOf(t, name))
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeFile(name, page), writeFile(name, page)); err != nil || modeOf(t, name) != 0o644 {
		t.Errorf("a file that was there: %v, mode %v", err, modeOf(t, name))
	}
	if err := writeFile(name, broken); err == nil || contentOf(t, name) != "the page" {
		t.Errorf("a failure: %v, and the file is %q", err, contentOf(t, name))
	}
	var usage *exitError
	if err := writeFile(dir, page); !errors.As(err, &usage) || usage.code != exitUsage {
		t.Errorf("a directory: %v", err)
	}
}

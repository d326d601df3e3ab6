package replace

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFile(t *testing.T) {
	broken := errors.New("broken")
	fails := func(*os.File) error { return broken }
	for name, c := range map[string]struct {
		write func(*os.File) error
		agree func() error
		want  string
		err   error
	}{
		"new":      {write: Text([]byte("new")), want: "new"},
		"agreed":   {write: Text([]byte("new")), agree: func() error { return nil }, want: "new"},
		"unagreed": {write: Text([]byte("new")), agree: func() error { return broken }, want: "old", err: broken},
		"failed":   {write: fails, want: "old", err: broken},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := File(path, "file.*.tmp", c.write, c.agree); !errors.Is(err, c.err) {
			t.Errorf("%s: %v, want %v", name, err, c.err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != c.want {
			t.Errorf("%s: the file has %q, %v, want %q", name, text, err, c.want)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%s: %v is left beside it, %v", name, entries, err)
		}
	}
}

// TestFileOfALink: what a link leads to is not touched, and nobody else may read the new file.
func TestFileOfALink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(target, []byte("mine"), 0o644), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := File(link, "x", Text([]byte("new")), nil); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(target); string(text) != "mine" {
		t.Errorf("the target has %q", text)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode() != 0o600 {
		t.Errorf("the new file has mode %v, %v", info.Mode(), err)
	}
}

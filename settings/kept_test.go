package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func readText(t interface{ Fatal(...any) }, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever a file was, it is that again.
func TestKeptGivesBackTheBytes(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path, k := filepath.Join(dir, fmt.Sprint(n), "settings.json"), Kept(filepath.Join(dir, fmt.Sprint("kept", n)))
		text := drawSettings(t)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := drawRecorder(t)
		if _, err := k.Install(path, r); err != nil {
			if got := readText(t, path); got != text {
				t.Fatalf("refused, and changed %q into %q", text, got)
			}
			return
		}
		if c, err := k.Install(path, r); err != nil || c.Changes() {
			t.Fatalf("the second time: %v, %s", err, c.Diff())
		}
		if rapid.Bool().Draw(t, "moved") {
			r.Binary = "/moved/ag-hook"
			if c, err := k.Install(path, r); err != nil || !c.Changes() {
				t.Fatalf("moved: %v", err)
			}
		}
		if _, err := k.Uninstall(path); err != nil {
			t.Fatal(err)
		}
		if got := readText(t, path); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		if _, err := os.Stat(string(k)); err == nil {
			t.Fatalf("%s is left", k)
		}
	})
}

func TestKeptOfNoFile(t *testing.T) {
	dir := t.TempDir()
	k, path := Kept(filepath.Join(dir, "kept")), filepath.Join(dir, "a", "b", "settings.json")
	c, err := k.Install(path, recorder1)
	if err != nil || c.Exists || !strings.Contains(c.Diff(), "+++ "+path) {
		t.Fatalf("%v\n%s", err, c.Diff())
	}
	if got := k.Paths(); len(got) != 1 || got[0] != path {
		t.Errorf("kept %q", got)
	}
	if c, err = k.Uninstall(path); err != nil || !c.Remove {
		t.Fatalf("%+v, %v", c, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if c, err = k.Uninstall(path); err != nil || c.Changes() {
		t.Errorf("the second time: %+v, %v", c, err)
	}
}

// What is there beside a new file keeps the folders.
func TestKeptLeavesFolders(t *testing.T) {
	dir := t.TempDir()
	k, path := Kept(filepath.Join(dir, "kept")), filepath.Join(dir, "a", "b", "settings.json")
	if _, err := k.Install(path, recorder1); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a", "other"), "")
	if _, err := k.Uninstall(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a", "other")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a", "b")); err == nil {
		t.Error("the empty folder is left")
	}
}

// A text of before that was damaged is not given back: the inverse is.
func TestKeptDamaged(t *testing.T) {
	dir := t.TempDir()
	k, path := Kept(filepath.Join(dir, "kept")), filepath.Join(dir, "settings.json")
	write(t, path, `{"model":"opus"}`)
	if _, err := k.Install(path, recorder1); err != nil {
		t.Fatal(err)
	}
	write(t, k.name(path, ".before"), "garbage")
	if _, err := k.Uninstall(path); err != nil {
		t.Fatal(err)
	}
	if got := readText(t, path); got != `{"model":"opus"}` {
		t.Errorf("got %q", got)
	}
}

// An edit of others between reading and writing is not lost.
func TestConcurrentEdits(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.json")
	write(t, path, `{"n":0}`)
	tried := 0
	c, err := edit(func() (Change, error) {
		c, err := current(path)
		if err != nil {
			return c, err
		}
		if c.After, err = Install(c.Before, recorder1); err != nil {
			return c, err
		}
		if tried++; tried < 3 {
			write(t, path, fmt.Sprintf(`{"n":%d}`, tried))
		}
		return c, c.apply()
	})
	if err != nil || tried != 3 || string(c.Before) != `{"n":2}` {
		t.Fatalf("%d times, %s, %v", tried, c.Before, err)
	}
	if got := uninstall(t, readText(t, path)); got != `{"n":2}` {
		t.Errorf("got %q", got)
	}
	_, err = edit(func() (Change, error) { return Change{Path: path}, errEdited })
	if err == nil || !strings.Contains(err.Error(), path+": was edited meanwhile") {
		t.Errorf("an end of trying: %v", err)
	}
}

// Any number of installations at once leave one of each entry, and no litter.
func TestInstallationsAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.json")
	write(t, path, `{"model":"opus"}`)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			r := recorder1
			r.Binary = fmt.Sprintf("/%d/ag-hook", i)
			for range 5 {
				if _, err := Kept(filepath.Join(dir, fmt.Sprint("kept", i))).Install(path, r); err != nil && !strings.Contains(err.Error(), errEdited.Error()) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	f := readFile(User, path)
	if f.Err != nil || len(f.Entries) != len(recorder1.Events) {
		t.Errorf("%v, %+v", f.Err, f.Entries)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestChangeOfFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.json")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		second(Kept(filepath.Join(dir, "kept")).Install(path, recorder1)),
		second(Kept(filepath.Join(dir, "kept")).Uninstall(path)),
	} {
		if err == nil || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("got %v", err)
		}
	}
	// A file where the folder should be.
	write(t, filepath.Join(dir, "file"), "x")
	if err := second(Kept(filepath.Join(dir, "kept")).Install(filepath.Join(dir, "file", "settings.json"), recorder1)); err == nil {
		t.Error("installed below a file")
	}
	if got := readText(t, filepath.Join(dir, "file")); got != "x" {
		t.Errorf("the file is %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept")); err == nil {
		t.Error("something is kept of what was not done")
	}
	big := filepath.Join(dir, "big.json")
	write(t, big, `{"x":"`+strings.Repeat("y", 10<<20)+`"}`)
	if err := second(Kept(filepath.Join(dir, "kept")).Install(big, recorder1)); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("10 MB: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

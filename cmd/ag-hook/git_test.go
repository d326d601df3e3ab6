package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestGit(t *testing.T) {
	const a, b = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	for _, test := range []struct {
		name           string
		files          map[string]string
		cwd            string
		root           string // "-": none
		branch, commit string
	}{
		{"branch", map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": a + "\n"}, "deep/down", "", "main", a},
		{"branch with slash", map[string]string{".git/HEAD": "ref: refs/heads/x/y\n", ".git/refs/heads/x/y": a}, "", "", "x/y", a},
		{"detached", map[string]string{".git/HEAD": a + "\n"}, "", "", "", a},
		{"sha256", map[string]string{".git/HEAD": b + "\n"}, "", "", "", b},
		{"packed", map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs with: peeled\n" + b[:40] + " refs/heads/mainly\n" + a + " refs/heads/main\n^" + b[:40] + "\n"}, "", "", "main", a},
		{"loose before packed", map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": a, ".git/packed-refs": b[:40] + " refs/heads/main\n"}, "", "", "main", a},
		{"no commit yet", map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, "", "", "main", ""},
		{"worktree", map[string]string{"tree/.git": "gitdir: ../main/.git/worktrees/tree\n", "main/.git/worktrees/tree/HEAD": "ref: refs/heads/w\n", "main/.git/worktrees/tree/commondir": "../..\n", "main/.git/refs/heads/w": a}, "tree/sub", "tree", "w", a},
		{"submodule", map[string]string{".git/HEAD": b, "sub/.git": "gitdir: ../.git/modules/sub\n", ".git/modules/sub/HEAD": a}, "sub", "sub", "", a},
		{"reftable", map[string]string{".git/HEAD": "ref: refs/heads/.invalid\n"}, "", "", "", ""},
		{"traversal", map[string]string{".git/HEAD": "ref: refs/heads/../../../secret\n", "secret": a}, "", "", "", ""},
		{"no commit in a ref", map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "password\n"}, "", "", "main", ""},
		{"garbage", map[string]string{".git/HEAD": "password\n"}, "", "", "", ""},
		{"empty .git", map[string]string{".git/x": ""}, "", "", "", ""},
		{"none", map[string]string{"x": ""}, "", "-", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
			}
			root, gitDir := findRepo(filepath.Join(dir, filepath.FromSlash(test.cwd)))
			want := filepath.Join(dir, test.root)
			if test.root == "-" {
				want = ""
			}
			if root != want {
				t.Errorf("root %q, want %q", root, want)
			}
			if root == "" {
				return
			}
			if branch, commit := head(gitDir); branch != test.branch || commit != test.commit {
				t.Errorf("%q %q, want %q %q", branch, commit, test.branch, test.commit)
			}
		})
	}
}

func TestNoRepoOfARelativePath(t *testing.T) {
	for _, dir := range []string{"", ".", "a/b"} {
		if root, _ := findRepo(dir); root != "" {
			t.Errorf("%q is in %q", dir, root)
		}
	}
}

// TestGitAgrees asks git itself.
func TestGitAgrees(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIP: git is not installed")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	main, tree := filepath.Join(dir, "main"), filepath.Join(dir, "tree")
	git := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", in, "-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git(dir, "init", "-q", "main")
	git(main, "commit", "-q", "--allow-empty", "-m", "first")
	git(main, "worktree", "add", "-q", "-b", "topic/one", tree)
	git(tree, "commit", "-q", "--allow-empty", "-m", "second")
	check := func(dir string) {
		t.Helper()
		root, gitDir := findRepo(dir)
		branch, commit := head(gitDir)
		if root != filepath.FromSlash(git(dir, "rev-parse", "--show-toplevel")) || branch != git(dir, "branch", "--show-current") || commit != git(dir, "rev-parse", "HEAD") {
			t.Errorf("%s: %q %q %q, git says otherwise", dir, root, branch, commit)
		}
	}
	check(main)
	check(tree)
	git(main, "pack-refs", "--all")
	check(main)
	check(tree)
	git(main, "checkout", "-q", "--detach")
	check(main)
}

func TestReadSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "12345")
	if got := readSmall(path, 5); string(got) != "12345" {
		t.Errorf("%q", got)
	}
	for _, p := range []string{path + "x", filepath.Dir(path), os.DevNull} {
		if got := readSmall(p, 5); got != nil {
			t.Errorf("%s: %q", p, got)
		}
	}
	if got := readSmall(path, 4); got != nil {
		t.Errorf("more than asked for: %q", got)
	}
}

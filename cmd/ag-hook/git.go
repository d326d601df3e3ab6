package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// findRepo returns the top directory of the git working tree that dir is in, and its
// git directory; both are "" where there is none. It costs an lstat a level.
func findRepo(dir string) (root, gitDir string) {
	if !filepath.IsAbs(dir) {
		return "", ""
	}
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		dotGit := filepath.Join(dir, ".git")
		if info, err := os.Lstat(dotGit); err == nil {
			if info.IsDir() {
				return dir, dotGit
			}
			// In a linked worktree or a submodule .git is a file that names the place.
			if to, ok := strings.CutPrefix(readLine(dotGit), "gitdir: "); ok {
				return dir, join(dir, to)
			}
		}
		if dir == filepath.Dir(dir) {
			return "", ""
		}
	}
}

// head returns the branch that is checked out, "" where none is, and its commit, ""
// where there is none yet or it cannot be read without running git.
func head(gitDir string) (branch, commit string) {
	text := readLine(filepath.Join(gitDir, "HEAD"))
	ref, ok := strings.CutPrefix(text, "ref: ")
	if !ok {
		return "", commitID(text)
	}
	branch, ok = strings.CutPrefix(ref, "refs/heads/")
	if !ok || !filepath.IsLocal(ref) || branch == ".invalid" { // the last one: refs are in a reftable
		return "", ""
	}
	common := gitDir // where a linked worktree's branches are
	if to := readLine(filepath.Join(gitDir, "commondir")); to != "" {
		common = join(gitDir, to)
	}
	if commit = commitID(readLine(filepath.Join(common, filepath.FromSlash(ref)))); commit == "" {
		commit = packedRef(filepath.Join(common, "packed-refs"), ref)
	}
	return branch, commit
}

// packedRef looks a ref up in the file where git keeps those that have no file of
// their own, a line "<commit> <ref>" each.
func packedRef(path, ref string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if commit, name, ok := bytes.Cut(s.Bytes(), []byte(" ")); ok && string(name) == ref {
			return commitID(string(commit))
		}
	}
	return ""
}

// commitID returns s if it is a SHA-1 or SHA-256 in hexadecimal, else "".
func commitID(s string) string {
	if len(s) != 40 && len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return ""
	}
	return s
}

func join(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// readLine returns the text of a file of one line, or "".
func readLine(path string) string {
	return strings.TrimSpace(string(readSmall(path, 4<<10)))
}

// readSmall returns what is in a regular file of at most limit bytes, else nil: a
// path from a payload may name a device, a fifo or a disk image.
func readSmall(path string, limit int64) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil || int64(len(b)) > limit {
		return nil
	}
	return b
}

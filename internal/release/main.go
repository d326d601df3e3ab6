// Command release builds what is published: for every system one archive with both programs,
// stripped and stamped with their version, and the sums of all:
//
//	go run ./internal/release [-out dist]
//
// It is reproducible: the same commit and the same Go give the same bytes, whenever and
// wherever it runs. Nothing in an archive has another time than the commit's.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	out := flag.String("out", "dist", "put the archives into this `directory`, which is emptied")
	flag.Parse()
	if err := release(*out); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// system is a GOOS and a GOARCH.
type system struct{ os, arch string }

func systems() (all []system) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, system{goos, arch})
		}
	}
	return all
}

func release(out string) error {
	version, err := git("describe", "--tags", "--always", "--abbrev=12", "--dirty")
	if err != nil {
		return err
	}
	seconds, err := git("log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	if strings.HasSuffix(version, "-dirty") {
		fmt.Fprintln(os.Stderr, "release: the work tree has changes that are not committed: not to be published")
	}
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
		return err
	}
	var sums []string
	for _, s := range systems() {
		sum, err := s.release(out, version, time.Unix(at, 0).UTC())
		if err != nil {
			return fmt.Errorf("%s/%s: %w", s.os, s.arch, err)
		}
		fmt.Println(sum)
		sums = append(sums, sum+"\n")
	}
	slices.Sort(sums)
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(sums, "")), 0o644)
}

// release builds one archive and returns its line of SHA256SUMS.
func (s system) release(out, version string, at time.Time) (string, error) {
	bin, err := os.MkdirTemp("", "ag-release-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(bin)
	// Go stamps a clone and leaves out a linked work tree: the version says the commit to both.
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.release="+version, "-o", bin+string(filepath.Separator), "./cmd/ag-hook", "./cmd/ag-sessiond")
	build.Env = append(os.Environ(), "GOOS="+s.os, "GOARCH="+s.arch, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", err
	}
	files := []file{{"LICENSE", "LICENSE", 0o644}, {"README.md", "README.md", 0o644}}
	for _, program := range []string{"ag-hook", "ag-sessiond"} {
		if s.os == "windows" {
			program += ".exe"
		}
		files = append(files, file{program, filepath.Join(bin, program), 0o755})
	}
	name := fmt.Sprintf("actiongraph_%s_%s_%s", strings.TrimPrefix(version, "v"), s.os, s.arch)
	pack, suffix := tarGz, ".tar.gz"
	if s.os == "windows" {
		pack, suffix = zipped, ".zip"
	}
	archive, err := pack(name, files, at)
	if err != nil {
		return "", err
	}
	name += suffix
	return fmt.Sprintf("%x  %s", sha256.Sum256(archive), name), os.WriteFile(filepath.Join(out, name), archive, 0o644)
}

func git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

package neo4jtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The newest release that runs on Java 17, and what Maven's pom.xml asks for.
const minJava = 17

//go:embed server/pom.xml server/Main.java
var sources embed.FS

// missingError says which program has to be installed.
type missingError string

func (e missingError) Error() string { return string(e) }

// program is a built server: java -cp classpath Main.
type program struct {
	java      string
	classpath string
}

// build returns the server program, built when the cache has none. Test binaries
// that start at once wait for the first one's build.
func build() (program, error) {
	java, err := findJava()
	if err != nil {
		return program{}, err
	}
	dir, err := cacheDir()
	if err != nil {
		return program{}, err
	}
	if p, ok := built(java, dir); ok {
		return p, nil
	}
	f, err := lock(dir + ".lock")
	if err != nil {
		return program{}, err
	}
	defer f.Close()
	if p, ok := built(java, dir); ok {
		return p, nil
	}
	if err := buildInto(java, dir); err != nil {
		return program{}, err
	}
	p, ok := built(java, dir)
	if !ok {
		return program{}, fmt.Errorf("%s lacks what was built", dir)
	}
	return p, nil
}

// cacheDir is named after the sources, so a checkout with other ones has its own.
func cacheDir() (string, error) {
	h := sha256.New()
	for _, name := range []string{"server/pom.xml", "server/Main.java"} {
		src, err := sources.ReadFile(name)
		if err != nil {
			return "", err
		}
		h.Write(src)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		// $HOME is not set, as in some CI systems.
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "actiongraph")
	return filepath.Join(dir, fmt.Sprintf("neo4jtest-%x", h.Sum(nil)[:8])), os.MkdirAll(dir, 0o755)
}

// built finds what an earlier build left. Its class path points into Maven's local
// repository, so that has to be there still.
func built(java, dir string) (program, bool) {
	classpath, err := os.ReadFile(filepath.Join(dir, "classpath"))
	if err != nil {
		return program{}, false
	}
	for _, jar := range filepath.SplitList(string(classpath)) {
		if _, err := os.Stat(jar); err != nil {
			return program{}, false
		}
	}
	entries := filepath.Join(dir, "classes") + string(filepath.ListSeparator) + string(classpath)
	return program{java: java, classpath: entries}, true
}

// buildInto builds next to dir and renames: a build that is killed leaves nothing
// that looks like one.
func buildInto(java, dir string) (err error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return missingError("no Maven (mvn): needed once to download Neo4j")
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	for _, name := range []string{"pom.xml", "Main.java"} {
		src, err := sources.ReadFile("server/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tmp, name), src, 0o644); err != nil {
			return err
		}
	}
	// Jars only: the class path has the pom of a dependency that is no more than that,
	// which ecj and class data sharing cannot read.
	if err := output(tmp, mvn, "-q", "-B", "-ntp", "dependency:build-classpath", "-DincludeTypes=jar",
		"-Dmdep.outputFile=classpath"); err != nil {
		return err
	}
	classpath, err := os.ReadFile(filepath.Join(tmp, "classpath"))
	if err != nil {
		return err
	}
	if err := output(tmp, java, "-cp", string(classpath), "org.eclipse.jdt.internal.compiler.batch.Main",
		"-"+strconv.Itoa(minJava), "-proc:none", "-cp", string(classpath), "-d", "classes", "Main.java"); err != nil {
		return err
	}
	// What is there is unusable, or there would be no build.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// output runs a command and returns what it printed as its error, on one line: it
// may become the reason of a skip.
func output(dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.Join(strings.Fields(string(out)), " "))
	}
	return nil
}

var javaVersion = regexp.MustCompile(`version "(\d+)`)

func findJava() (string, error) {
	missing := func(found string) error {
		return missingError(fmt.Sprintf("no Java %d or later (java): %s", minJava, found))
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", missing("not installed")
	}
	out, err := exec.Command(java, "-version").CombinedOutput()
	if err != nil {
		return "", missing(err.Error())
	}
	version := javaVersion.FindSubmatch(out)
	if version == nil {
		return "", missing(string(bytes.TrimSpace(out)))
	}
	if n, _ := strconv.Atoi(string(version[1])); n < minJava {
		return "", missing("found " + string(version[1]))
	}
	return java, nil
}

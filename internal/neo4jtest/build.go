package neo4jtest

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const minJava = 17 // Neo4j 5's

//go:embed server/pom.xml server/Main.java
var sources embed.FS

// missingError says which program has to be installed.
type missingError string

func (e missingError) Error() string { return string(e) }

// program is a built server.
type program struct {
	java      javaProgram
	classpath string
	archive   string // of loaded classes, for class data sharing
}

type javaProgram struct {
	path    string
	version string // all that it says of itself
}

// flags are the arguments of java up to those of Main.
func (p program) flags(jvm ...string) []string {
	return append(jvm,
		"-XX:-UsePerfData",
		"-Dlog4j2.disable.jmx=true",
		// Warnings about class data sharing are many, and none is the reader's concern.
		"-Xlog:disable", "-Xlog:all=error:stderr",
		// As in Neo4j's own neo4j.conf; netty and the page cache reach into these.
		"--add-opens=java.base/java.nio=ALL-UNNAMED",
		"--add-opens=java.base/java.io=ALL-UNNAMED",
		"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
		"-cp", p.classpath, "Main")
}

// buildOnce keeps the answer: a build that fails may have tried the network for long.
var buildOnce = sync.OnceValues(build)

// build returns the server program, built when the cache has none. Test binaries
// that start at once wait for the first one's build.
func build() (program, error) {
	java, err := findJava()
	if err != nil {
		return program{}, err
	}
	dir, err := cacheDir(java)
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
	// Without the archive the server only starts more slowly.
	_ = makeArchive(p)
	return p, nil
}

// cacheDir is named after what is built and what with: a checkout with other sources
// has its own, and a new Java gets an archive that it can use.
func cacheDir(java javaProgram) (string, error) {
	h := sha256.New()
	io.WriteString(h, java.version)
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
func built(java javaProgram, dir string) (program, bool) {
	classpath, err := os.ReadFile(filepath.Join(dir, "classpath"))
	if err != nil {
		return program{}, false
	}
	for _, jar := range filepath.SplitList(string(classpath)) {
		if _, err := os.Stat(jar); err != nil {
			return program{}, false
		}
	}
	return program{
		java:      java,
		classpath: filepath.Join(dir, "main.jar") + string(filepath.ListSeparator) + string(classpath),
		archive:   filepath.Join(dir, "server.jsa"),
	}, true
}

// buildInto builds next to dir and renames: a build that is killed leaves nothing
// that looks like one.
func buildInto(java javaProgram, dir string) (err error) {
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
	// The plugin's whole name: of its prefix Maven says that there is no such plugin, where
	// the truth is that the network is down. Jars only: the class path has the pom of a
	// dependency that is no more than that, which ecj and class data sharing cannot read.
	if err := output(tmp, mvn, "-q", "-B", "-ntp",
		"org.apache.maven.plugins:maven-dependency-plugin:build-classpath", "-DincludeTypes=jar",
		"-Dmdep.outputFile=classpath"); err != nil {
		return err
	}
	classpath, err := os.ReadFile(filepath.Join(tmp, "classpath"))
	if err != nil {
		return err
	}
	if err := output(tmp, java.path, "-cp", string(classpath), "org.eclipse.jdt.internal.compiler.batch.Main",
		"-"+strconv.Itoa(minJava), "-proc:none", "-cp", string(classpath), "-d", "classes", "Main.java"); err != nil {
		return err
	}
	if err := writeJar(filepath.Join(tmp, "main.jar"), filepath.Join(tmp, "classes")); err != nil {
		return err
	}
	// What is there is unusable, or there would be no build.
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// writeJar packs the classes: class data sharing accepts no folders.
func writeJar(name, classes string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := zip.NewWriter(f)
	return errors.Join(w.AddFS(os.DirFS(classes)), w.Close(), f.Close())
}

// makeArchive has the JVM dump the classes that a server loads, which saves a third of
// the CPU time of each later start.
func makeArchive(p program) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "neo4jtest-")
	if err != nil {
		return err
	}
	tmp := p.archive + ".tmp"
	args := append(p.flags("-XX:ArchiveClassesAtExit="+tmp), data, strconv.Itoa(port), "64", "train", "")
	if err := output(data, p.java.path, args...); err != nil {
		return errors.Join(err, os.RemoveAll(data))
	}
	return os.Rename(tmp, p.archive)
}

// output runs a command and returns the start of what it printed as its error, on one
// line: it may become the reason of a skip.
func output(dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		line := strings.Join(strings.Fields(string(colour.ReplaceAll(out, nil))), " ")
		line, _, _ = strings.Cut(line, " -> [Help 1]") // Maven's advice
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, line[:min(len(line), 700)])
	}
	return nil
}

// Maven colours an empty line even where it is told not to.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

var javaVersion = regexp.MustCompile(`version "(\d+)`)

func findJava() (java javaProgram, err error) {
	missing := func(found string) error {
		return missingError(fmt.Sprintf("no Java %d or later (java): %s", minJava, found))
	}
	if java.path, err = exec.LookPath("java"); err != nil {
		return java, missing("not installed")
	}
	out, err := exec.Command(java.path, "-version").CombinedOutput()
	java.version = strings.Join(strings.Fields(string(out)), " ")
	found := javaVersion.FindStringSubmatch(java.version)
	if err != nil || found == nil {
		return java, missing(fmt.Sprintf("java -version: %v: %s", err, java.version))
	}
	if n, _ := strconv.Atoi(found[1]); n < minJava {
		return java, missing("found " + found[1])
	}
	return java, nil
}

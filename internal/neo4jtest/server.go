package neo4jtest

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Options of a server; the zero value is a small one without authentication.
type Options struct {
	Port     int    // 0: a free one
	DataDir  string // of Neo4j's data and logs; kept. Start's default is a temporary one.
	Password string // of the user neo4j; empty: no authentication
	HeapMB   int    // 0: 768
	PagesMB  int    // the page cache; 0: 256
	// Optimize lets the JVM compile with all it has, as it does in production. Without,
	// it starts faster and is slower in the long run: for benchmarks.
	Optimize bool
}

// Server is a Neo4j in a process of its own.
type Server struct {
	URL     string // bolt://127.0.0.1:PORT, the same after a restart
	DataDir string

	opts  Options
	data  lifetime
	cmd   *exec.Cmd // nil: not running
	stdin io.Closer
}

// lifetime is what becomes of the data folder when the server exits; a word of Main.
type lifetime string

const (
	keep    lifetime = "keep"
	discard lifetime = "discard" // for a server that nobody is left to clean up after
)

const (
	startTimeout = 5 * time.Minute // 3 s measured, but 50 s with twelve processes on two cores
	stopTimeout  = time.Minute
)

// Launch starts a server that the caller stops.
func Launch(opts Options) (*Server, error) { return launch(opts, keep) }

func launch(opts Options, data lifetime) (*Server, error) {
	if opts.DataDir == "" {
		return nil, errors.New("neo4jtest: no DataDir")
	}
	dir, err := filepath.Abs(opts.DataDir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if opts.Port == 0 {
		if opts.Port, err = freePort(); err != nil {
			return nil, err
		}
	}
	s := &Server{URL: "bolt://127.0.0.1:" + strconv.Itoa(opts.Port), DataDir: dir, opts: opts, data: data}
	return s, s.start()
}

// Restart starts the server again, on the same port and with the same data. One that
// is running is stopped first.
func (s *Server) Restart() error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start()
}

// Stop shuts the database down as an operator would, and waits for it.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	s.stdin.Close()
	late := time.AfterFunc(stopTimeout, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	late.Stop()
	if err != nil {
		return fmt.Errorf("stop Neo4j: %w: %s", err, s.console())
	}
	return nil
}

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

// start returns when Bolt accepts connections. It leaves no goroutine behind, for tests that
// look for leaks.
func (s *Server) start() error {
	p, err := buildOnce()
	if err != nil {
		return err
	}
	cmd := exec.Command(p.java.path, append(p.flags(s.jvmFlags(p)...), s.DataDir, strconv.Itoa(s.opts.Port),
		strconv.Itoa(cmp.Or(s.opts.PagesMB, 256)), string(s.data), s.opts.Password)...)
	cmd.Dir = s.DataDir // where a JVM that crashes leaves its report
	separate(cmd)
	console, err := os.Create(s.consoleFile())
	if err != nil {
		return err
	}
	defer console.Close()
	cmd.Stderr = console
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	late := time.AfterFunc(startTimeout, func() { cmd.Process.Kill() })
	defer late.Stop()
	// The JVM's own warnings come this way as well.
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if lines.Text() == "READY" {
			// What nobody reads must not fill the pipe and so block the JVM.
			return stdout.Close()
		}
	}
	s.Kill()
	return fmt.Errorf("Neo4j did not start: %v: %s", cmd.ProcessState, s.console())
}

func (s *Server) jvmFlags(p program) []string {
	flags := []string{
		fmt.Sprintf("-Xmx%dm", cmp.Or(s.opts.HeapMB, 768)),
		// Rather than go on without the thread that ran out of memory, and let a test hang.
		"-XX:+ExitOnOutOfMemoryError",
	}
	if _, err := os.Stat(p.archive); err == nil {
		flags = append(flags, "-XX:SharedArchiveFile="+p.archive)
	}
	if !s.opts.Optimize {
		flags = append(flags, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
	}
	return flags
}

func (s *Server) consoleFile() string { return filepath.Join(s.DataDir, "console.log") }

// console is the end of what the server printed, on one line: it may become the
// reason of a skip.
func (s *Server) console() []byte {
	out, err := os.ReadFile(s.consoleFile())
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.Join(bytes.Fields(out[max(0, len(out)-2000):]), []byte(" "))
}

// freePort returns a port below those that the system gives to clients. One of those
// could be gone again until the JVM listens, or while a test has its server
// stopped: a client that tries a free port of that range again and again ends up
// connected to itself.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port between 20000 and 32000")
}

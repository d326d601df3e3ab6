//go:build unix

package postgrestest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Server is a PostgreSQL of its own.
type Server struct {
	URL string

	cmd   *exec.Cmd
	stdin io.Closer
}

// script is what starts the server, and ends it with its data when stdin ends. Nothing is
// synced: no data of a test outlives a crash of the machine.
const script = `
cd "$DIR"
{ initdb -D data -U postgres -A trust -E UTF8 --locale=C -N &&
  pg_ctl start -w -t 100 -D data -l log -o "-k '$DIR' -c listen_addresses= -c fsync=off -c full_page_writes=off"
} >console 2>&1 && echo READY && cat >/dev/null
cat log console | tail -n 5 | tr '\n' ' '
[ -e data/postmaster.pid ] && pg_ctl stop -m immediate -D data >/dev/null 2>&1
cd / && rm -rf "$DIR"
`

// Launch starts a server that the caller stops.
func Launch() (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "agpg-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", script)
	// A terminal's Ctrl-C would end the server before the test that uses it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := unprivileged(cmd, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd.Env = append(os.Environ(), "DIR="+dir, "PATH="+bin+":"+os.Getenv("PATH"), "LC_ALL=C")
	cmd.Dir = "/"
	return start(cmd, dir)
}

// start returns when the server answers. It leaves no goroutine behind, for tests that look
// for leaks.
func start(cmd *exec.Cmd, dir string) (*Server, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{URL: "postgres://postgres@/postgres?host=" + dir, cmd: cmd, stdin: stdin}
	late := time.AfterFunc(timeout, func() { stdin.Close() })
	defer late.Stop()
	said, err := bufio.NewReader(stdout).ReadString('\n')
	if said == "READY\n" {
		return s, nil
	}
	s.Stop()
	return nil, fmt.Errorf("PostgreSQL did not start: %s (%w)", said, err)
}

// Stop ends the server and waits for it.
func (s *Server) Stop() {
	s.stdin.Close()
	s.cmd.Wait() // whatever it says, the server is gone
}

// unprivileged makes the command one of a user that PostgreSQL runs for, which root is not,
// and dir that user's.
func unprivileged(cmd *exec.Cmd, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(dir, int(uid), int(gid))
	}
	return errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

// programs is the folder of PostgreSQL's programs, of which Debian has only clients on PATH.
func programs() (string, error) {
	var found []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, filepath.Dir(path))
		}
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Reverse(installed) // the latest first
	for _, dir := range append(found, installed...) {
		complete := true
		for _, name := range []string{"postgres", "initdb", "pg_ctl"} {
			if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
				complete = false
			}
		}
		if complete {
			return dir, nil
		}
	}
	return "", errors.New("no PostgreSQL (postgres, initdb, pg_ctl): apt-get install postgresql, or set AG_TEST_POSTGRES_URL to one whose user may make databases")
}

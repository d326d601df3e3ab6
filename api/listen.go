package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	reasons "github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
)

// The files of the API in a home.
const (
	// SocketFile is the unix socket.
	SocketFile = "api.sock"
	// TokenFile holds what a client of the TCP port has to know.
	TokenFile = "api.token"
)

// ListenUnix listens on a unix socket at path that only this user may open. What a dead
// process left there is replaced; a socket that somebody answers on, and anything
// that is no socket, is an error.
func ListenUnix(path string) (net.Listener, error) {
	dir := filepath.Join(filepath.Dir(path), "."+rand.Text()[:5])
	hidden := filepath.Join(dir, "s")
	if n, most := max(len(path), len(hidden)), longestSocket(); n > most {
		return nil, fmt.Errorf("the path of the socket %s has %d bytes, and the system takes %d: give a shorter one", path, n, most)
	}
	if err := checkStale(path); err != nil {
		return nil, err
	}
	// The file appears under its name with its mode, or not at all: bind makes it with
	// what the umask leaves, in a folder that nobody else may enter.
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	defer os.RemoveAll(dir)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	l.SetUnlinkOnClose(false) // it is not there any more
	err = os.Chmod(hidden, 0o600)
	if err == nil {
		err = os.Rename(hidden, path) // replaces a link, and does not follow it
	}
	var made fs.FileInfo
	if err == nil {
		made, err = os.Lstat(path)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	return &unixListener{UnixListener: l, path: path, made: made}, nil
}

// longestSocket is how long the path of a socket may be: sockaddr_un, less the zero at
// its end.
func longestSocket() int {
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		return 107
	}
	return 103
}

// checkStale returns nil where a new socket may take the path.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the socket: %w", err)
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%s is no socket: give another path", path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		conn.Close()
		return fmt.Errorf("another process listens on %s", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil
	}
	return fmt.Errorf("whether anybody listens on the socket is not known: %w", err)
}

// unixListener removes its socket when it is closed, if it is still the one at its path.
type unixListener struct {
	*net.UnixListener
	path string
	made fs.FileInfo
}

func (l *unixListener) Close() error {
	if now, err := os.Lstat(l.path); err == nil && os.SameFile(now, l.made) {
		os.Remove(l.path)
	}
	return l.UnixListener.Close()
}

// Addr is the socket's path.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// ListenTCP listens on a loopback address like 127.0.0.1:4009. Others are refused: what
// is recorded is for this machine's user, and the connection is not encrypted.
func ListenTCP(addr string) (net.Listener, error) {
	if err := CheckLoopback(addr); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if at, ok := l.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() { // as localhost may have been made to mean
		l.Close()
		return nil, fmt.Errorf("%s is %s, which is no loopback address", addr, l.Addr())
	}
	return l, nil
}

// CheckLoopback says why ListenTCP would refuse an address.
func CheckLoopback(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("address %q: want one like 127.0.0.1:4009", addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("address %q: the port is to be a number from 0 to 65535, as in 127.0.0.1:4009", addr)
	}
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return fmt.Errorf("address %q: only 127.0.0.1, [::1] and localhost are listened on, as the connection is not encrypted: "+
			"from another machine use an SSH tunnel (ssh -L)", addr)
	}
	return nil
}

// Token returns the token in a home, which it makes where there is none.
func Token(home string) (string, error) {
	path := filepath.Join(home, TokenFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		secret := make([]byte, 32)
		rand.Read(secret) // never fails: it ends the program instead
		token := hex.EncodeToString(secret)
		_, err = f.WriteString(token + "\n")
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path)
			return "", fmt.Errorf("make the token: %w", err)
		}
		return token, nil
	case !errors.Is(err, fs.ErrExist):
		return "", fmt.Errorf("make the token: %w", err)
	}
	return readToken(path)
}

func readToken(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" { // which has no such permissions
		return "", fmt.Errorf("others may read the token in %s (mode %04o): remove it, and it is made anew", path, mode.Perm())
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file: remove it, and it is made anew", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if len(token) < 16 {
		return "", fmt.Errorf("the token in %s has %d characters, at least 16: remove it, and it is made anew", path, len(token))
	}
	return token, nil
}

// How long a client may take.
const (
	headerTime = 5 * time.Second
	bodyTime   = time.Minute
	answerTime = 2 * time.Minute // the wait for other requests included
	idleTime   = 2 * time.Minute
	stopTime   = 3 * time.Second // a daemon ends within five, whatever a client does
	maxHeader  = 32 << 10
)

// Serve answers on the listeners until ctx ends, and then finishes what is being recorded;
// recalls, and what has not begun, are given up. On
// one that is no unix socket requests bring the token.
func (s *Server) Serve(ctx context.Context, token string, listeners ...net.Listener) error {
	errs := make([]error, len(listeners))
	var all sync.WaitGroup
	for i, l := range listeners {
		all.Go(func() {
			asked := token
			if l.Addr().Network() == "unix" {
				asked = ""
			} else if token == "" {
				l.Close()
				errs[i] = errors.New("a TCP port without a token")
				return
			}
			errs[i] = s.serve(ctx, s.Handler(asked), l)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func (s *Server) serve(ctx context.Context, handler http.Handler, l net.Listener) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: answerTime,
		BaseContext: func(net.Listener) context.Context { return ctx },
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader, ErrorLog: log.New(quiet{s}, "", 0),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if server.Shutdown(last) != nil {
			server.Close()
		}
	})
	err := server.Serve(l)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	l.Close()
	return fmt.Errorf("the API on %s: %w", l.Addr(), err)
}

// quiet takes what net/http logs: what clients do wrong below HTTP.
type quiet struct{ s *Server }

func (q quiet) Write(text []byte) (int, error) {
	q.s.Log.Debug().EmbedObject(logline.Why(reasons.APIConnection, nil)).Str("error_message", logline.Redacted(strings.TrimSpace(string(text)))).Msg("a connection to the API")
	return len(text), nil
}

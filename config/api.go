package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// API is [api]: where the daemon answers HTTP requests of this machine.
type API struct {
	// Socket is the path of a unix socket, relative to the home; "~/" is the user's, None
	// is no socket. By default api.sock in the home.
	Socket string `toml:"socket" env:"AG_API_SOCKET"`
	// Listen is a loopback address with a port, "127.0.0.1:4009". By default none.
	Listen string `toml:"listen" env:"AG_API_LISTEN"`
}

// Metrics is [metrics]: where a Prometheus server finds what the daemon counts.
type Metrics struct {
	// Listen is a loopback address with a port, "127.0.0.1:9464". By default none. Nobody needs a
	// token there: nothing of what is recorded is told but the ids of running sessions.
	Listen string `toml:"listen" env:"AG_METRICS_LISTEN"`
}

// complete refuses an address that others could reach.
func (m *Metrics) complete() error { return checkListen(m.Listen, "9464") }

// None is the API.Socket of a daemon that has no socket.
const None = "none"

// complete makes the path absolute, and refuses an address that others could reach.
func (a *API) complete(home string) error {
	if a.Socket != "" && a.Socket != None {
		path, err := absolute(home, a.Socket)
		if err != nil {
			return fmt.Errorf("socket %q: %w", a.Socket, err)
		}
		a.Socket = path
	}
	return checkListen(a.Listen, "4009")
}

// checkListen refuses what is no loopback address; "" is none. usual is a port to show.
func checkListen(listen, usual string) error {
	if listen == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen %q: want an address like \"127.0.0.1:%s\"", listen, usual)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen %q: the port is to be a number from 0 to 65535, as in \"127.0.0.1:%s\"", listen, usual)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen %q: only 127.0.0.1, [::1] and localhost: the connection is not encrypted", listen)
	}
	return nil
}

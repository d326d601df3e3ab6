package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/api"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
)

// foldPatience is how long a recall waits for the daemon to fold what was just posted.
const foldPatience = 5 * time.Second

// doors says where a daemon answers HTTP requests.
type doors struct {
	socket string // "" is the one in the home, config.None is none
	listen string // "" is no TCP port
	asked  bool   // for the socket: by a key, not by default
}

// doorFlags are the flags of run.
type doorFlags struct {
	listen string
	none   bool
}

func (f *doorFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.listen, "listen", "", "answer HTTP requests on this loopback `ADDRESS`, too, like 127.0.0.1:4009")
	cmd.Flags().BoolVar(&f.none, "no-api", false, "answer no HTTP requests at all")
}

// doors is what the configuration and the flags of run say: --listen is in place of the
// configuration's.
func (a *app) doors(c config.Config, f doorFlags) (d doors, err error) {
	if f.none && f.listen != "" {
		return d, usagef("--listen and --no-api: give one of them")
	}
	if f.none {
		return doors{socket: config.None}, nil
	}
	if f.listen != "" {
		if err := api.CheckLoopback(f.listen); err != nil {
			return d, usagef("--listen: %w", err)
		}
	}
	return doors{socket: c.API.Socket, listen: cmp.Or(f.listen, c.API.Listen), asked: c.API.Socket != ""}, nil
}

// listening is a daemon's API while it is open.
type listening struct {
	server    *api.Server
	home      *actiongraph.Home
	token     string
	listeners []net.Listener
	at        apiHealth // where; how it is the server says
}

// apiHealth is how a daemon's API is reached, and how it is.
type apiHealth struct {
	Socket  string `json:"socket,omitempty"`
	Address string `json:"address,omitempty"` // of TCP
	Problem string `json:"problem,omitempty"` // why there is no socket
	api.Health
}

// open listens. A socket that cannot be made is said, and the daemon goes on without, unless
// it was asked for: then it is an error, as for a port.
func (d doors) open(j *journal.Journal, log zerolog.Logger) (*listening, error) {
	if d.socket == config.None && d.listen == "" {
		return nil, nil
	}
	l := &listening{}
	if err := l.listen(d, j, log); err != nil {
		l.close()
		return nil, unavailable(err)
	}
	from := actiongraph.SourceFollower(j).Reader // what is posted is this machine's, as what is read is
	l.server = &api.Server{Host: from.Host, User: from.User, HashKey: j.Key(), Log: of(log, "api")}
	if len(l.listeners) == 0 {
		return l, nil
	}
	line := log.Info()
	if l.at.Socket != "" {
		line.Str("socket", l.at.Socket)
	}
	if l.at.Address != "" {
		line.Str("address", l.at.Address)
	}
	line.Msg("answering requests")
	return l, nil
}

func (l *listening) listen(d doors, j *journal.Journal, log zerolog.Logger) (err error) {
	if l.home, err = actiongraph.Open(j.Home(), actiongraph.Options{}); err != nil {
		return err
	}
	if d.socket != config.None {
		unix, err := api.ListenUnix(cmp.Or(d.socket, filepath.Join(j.Home(), api.SocketFile)))
		switch {
		case err == nil:
			l.listeners, l.at.Socket = append(l.listeners, unix), unix.Addr().String()
		case d.asked:
			return errcode.With(errcode.DaemonAddress, err)
		default:
			l.at.Problem = err.Error()
			log.Warn().EmbedObject(logline.Why(failure.APISocket, err)).
				Msg("nobody can post to the socket: give another one in config.toml, [api] socket, or \"none\"")
		}
	}
	if d.listen == "" {
		return nil
	}
	if l.token, err = api.Token(j.Home()); err != nil {
		return err
	}
	tcp, err := api.ListenTCP(d.listen)
	if err != nil {
		return errcode.With(errcode.DaemonAddress, err)
	}
	l.listeners, l.at.Address = append(l.listeners, tcp), tcp.Addr().String()
	return nil
}

// serve answers requests until ctx ends. They are recorded through a home of its own, and
// read from the daemon's store.
func (l *listening) serve(ctx context.Context, k *keeper) {
	defer l.close()
	l.server.Store = &posted{Home: l.home, journal: k.journal, reader: k.reader, replica: k.first.replica, patience: foldPatience}
	l.server.Signals = k.signals
	if err := l.server.Serve(ctx, l.token, l.listeners...); err != nil {
		k.log.Error().EmbedObject(logline.Why(failure.APIStopped, err)).Msg("requests are no longer answered")
	}
}

func (l *listening) close() {
	for _, listener := range l.listeners {
		listener.Close()
	}
	if l.home != nil {
		l.home.Close()
	}
}

// health is how it is, nil where a daemon has none.
func (l *listening) health() *apiHealth {
	if l == nil {
		return nil
	}
	h := l.at
	h.Health = l.server.Health()
	return &h
}

// posted is a home as requests see it: what one has recorded the next one finds.
type posted struct {
	*actiongraph.Home
	journal *journal.Journal
	reader  connector.Reader
	replica *connector.Replica // of reader

	patience time.Duration
}

// Recall waits a moment for the daemon to fold the session, and says where that is not
// enough.
func (p *posted) Recall(ctx context.Context, q graph.SearchQuery) ([]graph.SearchHit, error) {
	behind := p.await(ctx, q.Session)
	q.Recall = true
	hits, err := p.reader.Search(ctx, q)
	if err != nil {
		return nil, err // what failed is not behind
	}
	return hits, behind
}

func (p *posted) Action(ctx context.Context, id string) (graph.ActionRow, error) {
	return p.reader.Action(ctx, id)
}

func (p *posted) await(ctx context.Context, session string) error {
	file, err := p.journal.Stat(session)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if p.replica.StorePosition(session).Offset >= file.Size {
		return nil
	}
	end, err := p.journal.End(file) // a writer that was killed may have left a torn line behind it
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(p.patience); p.replica.StorePosition(session).Offset < end; time.Sleep(2 * time.Millisecond) {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return api.ErrBehind
		}
	}
	return nil
}

// printAPI prints how a daemon's API is reached.
func (a *app) printAPI(h *apiHealth) {
	if h == nil {
		return
	}
	field := func(name, format string, args ...any) { a.printf("%-10s"+format+"\n", append([]any{name}, args...)...) }
	if h.Socket != "" {
		field("socket", "%s", render.OneLine(h.Socket))
	}
	if h.Problem != "" {
		field("socket", "none: %s", render.OneLine(h.Problem))
	}
	if h.Address != "" {
		field("address", "http://%s, with the token in %s", h.Address, api.TokenFile)
	}
	if h.Requests > 0 {
		field("requests", "%s since it began, %s recorded, %d refused, %d failed", render.Plural(h.Requests, "request"),
			render.Plural(h.Events, "event"), h.Refused, h.Failed)
	}
	if h.LastError != "" {
		field("error", "%s", fmt.Sprintf("%s %s", render.Time(h.FailedAt), render.OneLine(h.LastError)))
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/failure"
	"github.com/actiongraph/actiongraph/internal/logline"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/internal/tail"
)

// configHealth is how a daemon is with its configuration.
type configHealth struct {
	LoadedAt time.Time `json:"loaded_at"`
	// Error is why the file is not in force as it is now; "" where it is.
	Error    string    `json:"error,omitempty"`
	FailedAt time.Time `json:"failed_at,omitzero"`
}

// steady is how long a file has to stay the same before it is read: an editor may cut it
// first and fill it then.
const steady = 100 * time.Millisecond

// reload takes the configuration over whenever the file changed, or somebody asks for it by
// a signal, until ctx ends.
func (k *keeper) reload(ctx context.Context, asked <-chan os.Signal, flags runFlags) {
	// No notifications: the store's log is in the same folder, and would wake a watch
	// thousands of times while it is written. One file is a stat a second.
	dir := tail.Dir{Path: k.journal.Home(), Suffix: config.FileName, NoNotify: true, Open: math.MaxInt64, Log: zerolog.Nop()}
	reports := make(chan []string)
	done := make(chan struct{})
	go func() { dir.Run(ctx, reports); close(done) }()
	defer func() { <-done }()
	path := filepath.Join(k.journal.Home(), config.FileName)
	var last []byte // as it was tried; nil: not yet
	links := time.NewTicker(time.Minute)
	defer links.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			last = nil
			k.log.Info().Msg("asked to read the configuration")
		case <-reports:
		case <-links.C: // a folder to exclude may lead elsewhere by now; what is wrong with the file load says
			_, _ = config.CompilePolicy(k.journal.Home())
			continue
		}
		text := steadyText(ctx, path)
		if ctx.Err() == nil && (last == nil || !bytes.Equal(text, last)) {
			k.load(flags)
			last = text
		}
	}
}

// steadyText is what is in a file once it stays the same, never nil.
func steadyText(ctx context.Context, path string) []byte {
	read := func() []byte {
		text, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			text = []byte(err.Error()) // a permission that is given back is a change
		}
		return append([]byte{0}, text...)
	}
	text := read()
	for range 20 {
		select {
		case <-ctx.Done():
			return text
		case <-time.After(steady):
		}
		now := read()
		if bytes.Equal(now, text) {
			break
		}
		text = now
	}
	return text
}

// load reads the configuration and takes it over. What is wrong with it leaves all as it
// is, and is said.
func (k *keeper) load(flags runFlags) {
	c, err := k.app.config()
	if err == nil {
		_, err = config.CompilePolicy(k.journal.Home()) // first: what is private must not wait for a port
	}
	var next plan
	if err == nil {
		next, err = k.app.plan(c, flags)
	}
	changed := err == nil && !reflect.DeepEqual(next, k.plan)
	if changed {
		err = k.take(next)
	}
	if k.ctx.Err() != nil {
		return
	}
	now := time.Now().UTC()
	k.mu.Lock()
	broken := k.config.Error != ""
	if err == nil {
		k.config = configHealth{LoadedAt: now}
	} else {
		k.config.Error, k.config.FailedAt = err.Error(), now
	}
	k.mu.Unlock()
	switch {
	case err != nil:
		k.log.Error().EmbedObject(logline.Why(failure.ConfigBroken, err)).Str("path", k.app.configPath()).
			Msg("the configuration is not taken over: that of before stays in force; it is read again when the file changes, and on SIGHUP")
	case changed || broken:
		k.log.Info().Strs("stores", k.keeps().names()).Str("transcripts", next.transcripts.String()).
			Strs("sources", specPaths(next.sources)).Msg("the configuration is in force")
	}
}

// hangUps receives SIGHUP, which asks for the configuration, where else it would end the
// process. Where it came because the terminal is gone the daemon stops, as anything does
// that was begun there: an orphan that nobody sees is what nobody asked for.
func hangUps(ctx context.Context, stop func(), log zerolog.Logger) (asked <-chan os.Signal) {
	nohup := signal.Ignored(syscall.SIGHUP)
	signals, out := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	attended := !nohup && hasTerminal()
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				time.Sleep(steady) // the terminal may be about to go
				if attended && !hasTerminal() {
					log.Info().Msg("the terminal is gone: stopping")
					stop()
					return
				}
				select {
				case out <- s:
				default: // it will be read anyway
				}
			}
		}
	}()
	return out
}

// hasTerminal reports whether the process has a terminal that it could be stopped from.
func hasTerminal() bool {
	f, err := os.Open("/dev/tty")
	if err == nil {
		f.Close()
	}
	return err == nil
}

// printConfigHealth prints what is wrong with the configuration of a running daemon.
func (a *app) printConfigHealth(h *configHealth) {
	if h == nil || h.Error == "" {
		return
	}
	a.printf("%-10sthat of %s is in force: %s\n", "config", render.Time(h.LoadedAt), render.OneLine(h.Error))
}

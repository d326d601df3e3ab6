package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/policy"
	"github.com/actiongraph/actiongraph/schema"
)

// maxLog is the size, in bytes, at which hook.log becomes hook.log.1: together they
// stay below twice that and one line.
const maxLog = 1 << 20

// hookLog is <home>/hook.log, the one place where ag-hook says what went wrong: a
// line of JSON a problem, with what to do about it, never with any of a payload.
//
//	{"timestamp":…,"level":"ERROR","logger":"ag-hook","message":…,
//	 "error_message":…,"cure":…,"doc_url":…,"event_type":…,"session_id":…}
//
// ERROR means that an event is lost, WARNING that it is recorded all the same.
type hookLog struct {
	home string
	now  time.Time
}

type problem struct {
	level, message string
	err            error
	cure           string
	event          *schema.Event // the event concerned, if one is
}

// add writes one line. Where that fails too, nothing more can be done.
func (l hookLog) add(p problem) {
	if l.home == "" {
		return
	}
	f := l.open()
	if f == nil {
		return
	}
	defer f.Close()
	f.Write(p.line(l.now))
}

func (p problem) line(now time.Time) []byte {
	b := []byte(`{"timestamp":"` + schema.FormatTime(now) + `","level":"` + p.level + `","logger":"ag-hook","message":`)
	b = schema.AppendString(b, p.message)
	add := func(name, value string) {
		if value != "" {
			b = append(b, `,"`+name+`":`...)
			b = schema.AppendString(b, value[:min(len(value), 2000)])
		}
	}
	if p.err != nil {
		add("error_message", p.err.Error())
	}
	add("cure", p.cure)
	code := errcode.HookWarned
	if p.level == "ERROR" {
		code = errcode.HookLost
	}
	add("doc_url", code.Doc())
	if p.event != nil {
		add("event_type", string(p.event.EventType))
		add("session_id", schema.SafeID(p.event.SessionID))
	}
	return append(b, '}', '\n')
}

func (l hookLog) open() *os.File {
	path := filepath.Join(l.home, "hook.log")
	if err := os.MkdirAll(l.home, 0o700); err != nil {
		return nil
	}
	for range 2 {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return nil
		}
		info, err := f.Stat()
		if err != nil || info.Size() < maxLog || !info.Mode().IsRegular() {
			if err == nil && info.Size() == 0 {
				f.Chmod(0o600) // the umask may have taken more than it should
			}
			return f
		}
		f.Close()
		// Another process may have done it since: its fresh file must not become the
		// old one.
		if now, err := os.Stat(path); err == nil && os.SameFile(info, now) {
			os.Rename(path, path+".1")
		}
	}
	return nil
}

// policy says once a day what is wrong with the capture policy: it is so at every event.
func (h *hook) policy(s policy.State) {
	problem, cure := s.Problem()
	if problem == "" {
		return
	}
	said := filepath.Join(h.home, "policy.said")
	info, err := os.Stat(said)
	if err == nil && h.now.Sub(info.ModTime()) < 24*time.Hour {
		return
	}
	f, err := os.OpenFile(said, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return // it would be said at every event
	}
	f.Close()
	os.Chtimes(said, h.now, h.now)
	h.warn(problem, cure)
}

// cure says what a person does about an error of the file system.
func cure(home string, err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "free some space on the disk that holds " + home
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "make " + home + " and everything in it writable for this user, or set AG_HOME to another place"
	case strings.Contains(err.Error(), "not a directory"):
		return "remove the file that is in the way, or set AG_HOME to another place"
	}
	return "look at `ag-sessiond status`"
}

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/actiongraph/actiongraph/connector"
)

// held are the locks that scripts hold as another process would.
type held struct{ locks sync.Map }

// lock takes a lock of the home: lock graph.lock
func (h *held) lock(ts *testscript.TestScript, _ bool, args []string) {
	// One that was given back is held a moment longer by a child of another script that
	// forked meanwhile, until it runs its program.
	l, err := connector.LockHome(ts.Getenv("AG_HOME"), args[0], 5*time.Second)
	ts.Check(err)
	h.locks.Store(ts.Getenv("AG_HOME")+args[0], l)
	ts.Defer(func() { l.Unlock() })
}

// unlock gives it back: unlock graph.lock
func (h *held) unlock(ts *testscript.TestScript, _ bool, args []string) {
	l, ok := h.locks.LoadAndDelete(ts.Getenv("AG_HOME") + args[0])
	if !ok {
		ts.Fatalf("%s is not held", args[0])
	}
	ts.Check(l.(*connector.Lock).Unlock())
}

// nowhere fails where a file of the home has a text, in its bytes or its name: nowhere TEXT
func nowhere(ts *testscript.TestScript, _ bool, args []string) {
	home := ts.Getenv("AG_HOME")
	ts.Check(filepath.WalkDir(home, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(args[0])) || strings.Contains(path[len(home):], args[0]) {
			return fmt.Errorf("%s has %s", path, args[0])
		}
		return err
	}))
}

// running waits until a daemon runs for the home.
func running(ts *testscript.TestScript, _ bool, _ []string) {
	wait(ts, "a daemon", func() bool {
		l, err := connector.LockHome(ts.Getenv("AG_HOME"), connector.GraphLock, 0)
		if err == nil {
			l.Unlock()
		}
		return errors.Is(err, connector.ErrLocked)
	})
}

// until runs a command until it prints a JSON list of so many elements: until 1
// ag-sessiond sessions --json
func until(ts *testscript.TestScript, _ bool, args []string) {
	wait(ts, "the list", func() bool {
		var rows []json.RawMessage
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			return false
		}
		return json.Unmarshal([]byte(ts.ReadFile("stdout")), &rows) == nil && strconv.Itoa(len(rows)) == args[0]
	})
}

// shows waits until a file that a command writes has a text: shows list.txt a775679a
func shows(ts *testscript.TestScript, _ bool, args []string) {
	wait(ts, args[1], func() bool {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && strings.Contains(string(data), args[1])
	})
}

func wait(ts *testscript.TestScript, what string, ok func() bool) {
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("waited 30 s for %s", what)
		}
	}
}

// tamper changes a store behind everybody's back: tamper FILE SQL
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.ToSlash(ts.MkAbs(args[0])))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

// clean wants nothing that a terminal acts on in the last command's output.
func clean(ts *testscript.TestScript, _ bool, _ []string) {
	for _, name := range []string{"stdout", "stderr"} {
		for i, r := range ts.ReadFile(name) {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
				ts.Fatalf("%s holds %U at byte %d", name, r, i)
			}
		}
	}
}

// untilJSON runs a command until a place in its JSON is what is wanted: untiljson PATH
// WANT COMMAND
func untilJSON(ts *testscript.TestScript, _ bool, args []string) {
	wait(ts, args[0]+" to be "+args[1], func() bool {
		if err := ts.Exec(args[2], args[3:]...); err != nil {
			return false
		}
		var v, want any
		if json.Unmarshal([]byte(ts.ReadFile("stdout")), &v) != nil || json.Unmarshal([]byte(args[1]), &want) != nil {
			return false
		}
		got, err := lookup(v, args[0])
		return err == nil && got == want
	})
}

package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// sample is five captured sessions, payloads byte for byte: ten tools, failures,
// parallel calls, a subagent. The captures' three payloads of 1 and 2 MB are not in
// it: they would be all of the volume. The hook's 1 MB row measures them.
//
//go:embed testdata/hooks.jsonl
var sample []byte

// generator writes journals of any size whose lines are what ag-hook writes.
type generator struct {
	head, tail *part
	turns      []*part // the last one, with its 10 kB errors, is rare
	values     *values
}

// newGenerator records the sample through ag-hook and takes the journal apart.
func newGenerator(hook, dir string) (*generator, error) {
	home := filepath.Join(dir, "sample")
	for line := range bytes.Lines(sample) {
		var call struct {
			RecvNS int64 `json:"recv_ns"`
			Stdin  string
		}
		if err := json.Unmarshal(line, &call); err != nil {
			return nil, fmt.Errorf("sample: %w", err)
		}
		at := time.Unix(0, call.RecvNS).UTC().Format(time.RFC3339Nano)
		cmd := exec.Command(hook, "claude", "--home", home, "--at", at)
		cmd.Stdin = strings.NewReader(call.Stdin)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ag-hook: %w\n%s", err, out)
		}
	}
	files, err := filepath.Glob(filepath.Join(home, "journal", "*.jsonl"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("ag-hook recorded nothing in %s (%v); see its hook.log", home, err)
	}
	g := &generator{values: newValues()}
	var rare *part
	for _, file := range files {
		head, turn, tail, size, err := splitSession(file)
		if err != nil {
			return nil, err
		}
		if g.head == nil {
			g.head, g.tail = head, tail
		}
		if size > 20_000 {
			rare = turn
		} else {
			g.turns = append(g.turns, turn)
		}
	}
	if rare == nil || len(g.turns) == 0 {
		return nil, fmt.Errorf("sample: %d common turns, and the rare one is there: %v", len(g.turns), rare != nil)
	}
	g.turns = append(g.turns, rare)
	return g, nil
}

// splitSession cuts a recorded session of one turn into what comes before its
// prompt, the turn, and its end.
func splitSession(file string) (head, turn, tail *part, size int, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, nil, 0, err
	}
	var lines [3][][]byte
	at := 0
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		e, err := schema.Decode(line)
		if err != nil {
			return nil, nil, nil, 0, fmt.Errorf("%s: %w", file, err)
		}
		switch {
		case e.EventType == schema.Message && e.Role == schema.RoleUser:
			at = 1
		case e.EventType == schema.SessionEnd:
			at = 2
		}
		lines[at] = append(lines[at], line)
		if at == 1 {
			size += len(line)
		}
	}
	var parts [3]*part
	for i := range parts {
		if len(lines[i]) == 0 {
			return nil, nil, nil, 0, fmt.Errorf("%s: no part %d of start, turn, end", file, i)
		}
		if parts[i], err = newPart(lines[i]); err != nil {
			return nil, nil, nil, 0, err
		}
	}
	return parts[0], parts[1], parts[2], size, nil
}

// rareEvery makes the 10 kB payloads as rare as in the captures, 2 of 694.
const rareEvery = 40

// made says what generate wrote.
type made struct {
	events int
	bytes  int64
}

// generate writes n sessions of about `size` events each into home, the first one
// started at start, the next ten minutes later each.
func (g *generator) generate(home string, n, size int, start time.Time) (made, error) {
	var m made
	dir := filepath.Join(home, "journal")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	var buf []byte
	turns := 0
	for i := range n {
		session := g.values.id("00000000-0000-0000-0000-000000000000")
		at := start.Add(time.Duration(i) * 10 * time.Minute)
		f, err := os.OpenFile(filepath.Join(dir, session+".jsonl"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return m, err
		}
		events := 0
		write := func(p *part) {
			buf = p.append(buf, session, at, g.values)
			events += len(p.lines)
			at = at.Add(p.length)
			if len(buf) > 1<<20 && err == nil {
				_, err = f.Write(buf)
				m.bytes += int64(len(buf))
				buf = buf[:0]
			}
		}
		write(g.head)
		for events < size-len(g.tail.lines) {
			turns++
			turn := g.turns[turns%(len(g.turns)-1)]
			if turns%rareEvery == 0 {
				turn = g.turns[len(g.turns)-1]
			}
			write(turn)
		}
		write(g.tail)
		if err == nil {
			_, err = f.Write(buf)
		}
		m.bytes += int64(len(buf))
		m.events += events
		buf = buf[:0]
		if closeErr := f.Close(); err != nil || closeErr != nil {
			return m, fmt.Errorf("%s: %v, %v", f.Name(), err, closeErr)
		}
		// A file that was just written is one of an open session: looked at each second.
		if err := os.Chtimes(f.Name(), at, at); err != nil {
			return m, err
		}
	}
	return m, nil
}

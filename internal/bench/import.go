package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// imports measures `ag-sessiond import`: a tree of session files, the same tree again,
// and the memory that one large file and one long line take.
func (b *bench) imports() error {
	tree, home := filepath.Join(b.dir, "projects"), filepath.Join(b.dir, "imported")
	base, err := readSessions()
	if err != nil {
		return err
	}
	if err := base.write(tree, int64(500_000_000/b.scale)); err != nil {
		return err
	}
	first, did, err := b.importOf(tree, home)
	if err != nil {
		return err
	}
	seconds := first.Wall.Seconds()
	b.table.add(fmt.Sprintf("import of %d MB in %d session files into journal and SQLite", did.Bytes/1e6, did.Files), "≥ 60 MB/s",
		fmt.Sprintf("%.0f MB/s (%.0f lines/s, %.0f events/s; journal %.1f s, store %.1f s, CPU %.1f s)", float64(did.Bytes)/1e6/seconds,
			float64(did.Lines)/seconds, float64(did.Store.Events)/seconds, did.Duration.Seconds(), did.Store.Duration.Seconds(),
			first.CPU.Seconds()), float64(did.Bytes)/1e6/seconds >= 60)
	b.rss("the same, peak RSS", 200, first.MaxRSS)
	again, did, err := b.importOf(tree, home)
	if err != nil {
		return err
	}
	times := first.Wall.Seconds() / again.Wall.Seconds()
	b.table.add("the same tree again", "≥ 50 ×", fmt.Sprintf("%.0f × as fast (%s, %d files unchanged)", times, ms(again.Wall), did.Unchanged),
		times >= 50 && did.Lines == 0)
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	for _, c := range []struct {
		name  string
		write func(dir string) error
	}{
		{fmt.Sprintf("import of one file of %d MB, peak RSS", 1000/b.scale), func(dir string) error {
			return base.writeOne(dir, int64(1_000_000_000/b.scale))
		}},
		{"import of one line of 50 MB, peak RSS", writeLongLine},
	} {
		dir := filepath.Join(b.dir, "large")
		if err := c.write(dir); err != nil {
			return err
		}
		u, _, err := b.importOf(dir, filepath.Join(b.dir, "large-home"))
		if err != nil {
			return err
		}
		b.rss(c.name, 200, u.MaxRSS)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// imported is what import says of itself.
type imported struct {
	Files, Unchanged     int
	Bytes, Lines, Broken int64
	Duration             time.Duration `json:"duration_ns"`
	Store                struct {
		Events   int64
		Duration time.Duration `json:"duration_ns"`
	}
	JSONL struct { // of what is no transcript
		Bytes, Lines, Events int64
		Duration             time.Duration `json:"duration_ns"`
	}
}

func (b *bench) importOf(path, home string, flags ...string) (u usage, did imported, err error) {
	if u, err = spawnOne(append([]string{b.sessiond, "import", "--json", "--home", home, path}, flags...)...); err == nil {
		err = json.Unmarshal([]byte(u.Stdout), &did)
	}
	return u, did, err
}

// sessions are recorded session files, to be written again and again with ids and times
// of their own.
type sessions struct {
	files []sessionFile
	own   map[string]bool // the ids of the sessions
	size  int64
}

type sessionFile struct {
	path  string        // below a project's folder
	turns int           // how often it repeats what was recorded: sessions of people are longer
	span  time.Duration // of what was recorded
	parts []string
	kinds []byte // of what stands between the parts: 'i' an id, 't' a time, 's' a session's id
	fill  []string
}

// readSessions reads the transcripts in the repository: of real work, which is most of
// the tree, and of recordings, which have the subagents, forks and lines of today.
func readSessions() (*sessions, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	s := &sessions{own: map[string]bool{}}
	texts := map[string]string{}
	for _, dir := range []string{"internal/bench/testdata/transcripts", "transcript/testdata/projects"} {
		if err := s.read(filepath.Join(root, filepath.FromSlash(dir)), texts); err != nil {
			return nil, err
		}
	}
	for path, text := range texts {
		f := s.cut(path, text)
		if strings.Contains(text, `"version":"2.1.14"`) {
			f.turns = realTurns
		}
		s.size += int64(f.turns * len(text))
		s.files = append(s.files, f)
	}
	return s, nil
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// read reads the files of a tree that are named after sessions.
func (s *sessions) read(root string, texts map[string]string) error {
	session := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}.*\.json(l?)$`)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := session.FindString(filepath.ToSlash(path))
		if name == "" {
			return nil
		}
		s.own[name[:36]] = true
		text, err := os.ReadFile(path)
		texts[name] = string(text)
		if strings.Contains(texts[name], `"2.1.330"`) {
			texts[name] = vendorLines(name[:36]) + texts[name]
		}
		return err
	})
}

// vendorLines stand for what was taken out of the recordings since it is the vendor's:
// system prompts and requests, which Claude Code has in its session files since 2.1.330.
// There are as many of each as in the recordings, as long as there on average.
func vendorLines(session string) string {
	var b strings.Builder
	for _, l := range []struct {
		kind   string
		n, len int
	}{
		{"attachment/deferred_tools_delta", 1, 1376}, {"attachment/agent_listing_delta", 1, 2617}, {"attachment/skill_listing", 1, 1942},
		{"attachment/prompt_snapshot", 2, 13304}, {"api-request-shape", 1, 12883}, {"api-request-blob", 3, 577}, {"api-request", 4, 1355},
	} {
		for range l.n {
			head := `{"type":"` + l.kind + `","sessionId":"` + session + `","text":"`
			if kind, attached := strings.CutPrefix(l.kind, "attachment/"); attached {
				head = `{"parentUuid":null,"isSidechain":false,"type":"attachment","sessionId":"` + session + `","attachment":{"type":"` + kind + `","text":"`
			}
			tail := strings.Repeat("}", strings.Count(head, "{"))
			b.WriteString(head + strings.Repeat("what the vendor says \\n", 1+(l.len-len(head))/23) + `"` + tail + "\n")
		}
	}
	return b.String()
}

// cut finds what differs from one copy to the next.
func (s *sessions) cut(path, text string) sessionFile {
	f := sessionFile{path: path, turns: 1}
	var first, last time.Time
	slot := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:msg|toolu|req)_[A-Za-z0-9]{20,30}|20[0-9-]{8}T[0-9:.]{12}Z`)
	at := 0
	for _, m := range slot.FindAllStringIndex(text, -1) {
		value := text[m[0]:m[1]]
		kind := byte('i')
		switch {
		case s.own[value]:
			kind = 's'
		case strings.HasSuffix(value, "Z") && value[4] == '-':
			kind = 't'
			at, err := time.Parse(time.RFC3339Nano, value)
			if err == nil && (first.IsZero() || at.Before(first)) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
		f.parts, f.fill, f.kinds = append(f.parts, text[at:m[0]]), append(f.fill, value), append(f.kinds, kind)
		at = m[1]
	}
	f.parts = append(f.parts, text[at:])
	f.span = last.Sub(first) + time.Minute
	return f
}

const realTurns = 6

// write makes a tree of about so many bytes, in 40 projects.
func (s *sessions) write(dir string, size int64) error {
	for i := range int(max(size/s.size, 1)) {
		for _, f := range s.files {
			path := filepath.Join(dir, fmt.Sprint("-home-dev-p", i%40), fresh(f.path[:36], i)+f.path[36:])
			if err := f.write(path, i, f.turns); err != nil {
				return err
			}
			// Files that were just written are looked at again: these are of long ago.
			at := firstSession().Add(time.Duration(i) * time.Hour)
			if err := os.Chtimes(path, at, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeOne makes one session file of about so many bytes.
func (s *sessions) writeOne(dir string, size int64) error {
	largest := s.files[0]
	for _, f := range s.files {
		if len(f.parts) > len(largest.parts) && !strings.Contains(f.path, "agent-") {
			largest = f
		}
	}
	length := 0
	for i, part := range largest.parts[1:] {
		length += len(part) + len(largest.fill[i])
	}
	return largest.write(filepath.Join(dir, fresh(largest.path[:36], 0)+".jsonl"), 0, int(size)/length)
}

// write writes the copy i of a file, n times what was recorded.
func (f *sessionFile) write(path string, i, n int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	var buf []byte
	for turn := range n {
		for k, value := range f.fill {
			buf = append(buf, f.parts[k]...)
			switch f.kinds[k] {
			case 's':
				value = fresh(value, i)
			case 'i':
				value = fresh(value, i*1_000_000+turn)
			case 't':
				value = later(value, time.Duration(turn)*f.span)
			}
			buf = append(buf, value...)
		}
		buf = append(buf, f.parts[len(f.parts)-1]...)
		if len(buf) > 1<<20 || turn == n-1 {
			if _, err := out.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

// fresh is an id for one copy: the same for the same id.
func fresh(id string, salt int) string {
	h := fnv.New64a()
	fmt.Fprint(h, id, salt)
	digits := hex.EncodeToString(binary.BigEndian.AppendUint64(nil, h.Sum64()))[:8]
	at := strings.IndexByte(id, '_') + 1
	return id[:at] + digits + id[at+8:]
}

func later(text string, by time.Duration) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.Add(by).Format("2006-01-02T15:04:05.000Z")
}

// writeLongLine makes a file with one result of 50 MB between two short lines.
func writeLongLine(dir string) error {
	const session = "11111111-2222-4333-8444-999999999999"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	line := func(id, content string) string {
		return `{"type":"user","uuid":"` + id + `","parentUuid":null,"sessionId":"` + session +
			`","timestamp":"2026-01-01T00:00:00.000Z","cwd":"/w","version":"2.1.330","message":{"role":"user","content":` + content + "}}\n"
	}
	long := strings.Repeat("a line of output that goes on and on\\n", 50_000_000/38)
	text := line("a", `"before"`) + line("b", `[{"type":"tool_result","tool_use_id":"toolu_1","content":"`+long+`"}]`) + line("c", `"after"`)
	return os.WriteFile(filepath.Join(dir, session+".jsonl"), []byte(text), 0o600)
}

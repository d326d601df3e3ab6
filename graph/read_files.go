package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// FileFilter selects the reads and writes of files; zero fields select all.
type FileFilter struct {
	// Path is an absolute path, or whole components of one (a path relative to its
	// repository, or the end of it): that file, or what is below that directory. \ is /.
	Path    string
	Session string    // its id
	Since   time.Time // of the read or write
	Limit   int       // of files; 0 is no limit
}

// FileRow is one file and what sessions did with it. Only completed calls count: a
// denied Write wrote nothing. Of two files with one path on two hosts there are two rows.
type FileRow struct {
	Path string `json:"path"`
	Host string `json:"host,omitempty"`
	FileTouches
	SessionCount int64 `json:"session_count"`
	// Sessions are those that touched it, the latest first.
	Sessions []FileSession `json:"sessions,omitempty"`
}

// FileSession is what one session did with a file.
type FileSession struct {
	SessionID string `json:"session_id"`
	Name      string `json:"name,omitempty"` // the session's caption
	User      string `json:"user,omitempty"`
	FileTouches
	Tools map[string]int64 `json:"tools,omitempty"` // calls by tool
}

// FileTouches counts reads and writes, which are calls.
type FileTouches struct {
	Reads  int64 `json:"reads"`
	Writes int64 `json:"writes"`
	// LinesAdded and LinesRemoved are those of the writes that say so, nil where none does.
	LinesAdded   *int64    `json:"lines_added,omitempty"`
	LinesRemoved *int64    `json:"lines_removed,omitempty"`
	FirstAt      time.Time `json:"first_at,omitzero"`
	LastAt       time.Time `json:"last_at,omitzero"`
}

// FileUse is what a store counts: the calls of one tool with which one session read, or
// wrote, one file. FileRows makes rows of all that a filter selects.
type FileUse struct {
	File                     string // the node's key
	Path, Host               string
	SessionID, Name, User    string
	Edge                     EdgeType // Read or Wrote
	Tool                     string
	Calls                    int64
	LinesAdded, LinesRemoved *int64
	FirstAt, LastAt          time.Time
}

// FilePattern is how a store finds a filter's files: those whose path, with / for \ and
// one more at its end, begins with prefix, or where there is none contains part, with one
// more / before it, too. Both are "" where every file is meant.
func (f FileFilter) FilePattern() (prefix, part string) {
	p := strings.ReplaceAll(f.Path, `\`, "/")
	if p == "" {
		return "", ""
	}
	whole := strings.Trim(p, "/") + "/"
	if whole == "/" {
		return "/", ""
	}
	if p[0] == '/' {
		return "/" + whole, ""
	}
	return "", "/" + whole
}

// FileRows gathers uses by file: the files touched most first, then by path and host.
func FileRows(uses []FileUse, limit int) []FileRow {
	rows := map[string]*FileRow{}
	sessions := map[[2]string]*FileSession{}
	for _, u := range uses {
		r := rows[u.File]
		if r == nil {
			r = &FileRow{Path: u.Path, Host: u.Host}
			rows[u.File] = r
		}
		k := [2]string{u.File, u.SessionID}
		s := sessions[k]
		if s == nil {
			s = &FileSession{SessionID: u.SessionID, Name: u.Name, User: u.User, Tools: map[string]int64{}}
			sessions[k] = s
			r.SessionCount++
		}
		r.add(u)
		s.add(u)
		if u.Tool != "" {
			s.Tools[u.Tool] += u.Calls
		}
	}
	for k, s := range sessions {
		rows[k[0]].Sessions = append(rows[k[0]].Sessions, *s)
	}
	out := make([]FileRow, 0, len(rows))
	for _, r := range rows {
		slices.SortFunc(r.Sessions, func(a, b FileSession) int {
			return cmp.Or(b.LastAt.Compare(a.LastAt), cmp.Compare(a.SessionID, b.SessionID))
		})
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b FileRow) int {
		return cmp.Or(cmp.Compare(b.Reads+b.Writes, a.Reads+a.Writes), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Host, b.Host))
	})
	if limit > 0 && len(out) > limit {
		out = slices.Clone(out[:limit]) // the rest may be much
	}
	return out
}

func (t *FileTouches) add(u FileUse) {
	if u.Edge == Wrote {
		t.Writes += u.Calls
	} else {
		t.Reads += u.Calls
	}
	t.LinesAdded, t.LinesRemoved = addKnown(t.LinesAdded, u.LinesAdded), addKnown(t.LinesRemoved, u.LinesRemoved)
	if !u.FirstAt.IsZero() && (t.FirstAt.IsZero() || u.FirstAt.Before(t.FirstAt)) {
		t.FirstAt = u.FirstAt
	}
	if u.LastAt.After(t.LastAt) {
		t.LastAt = u.LastAt
	}
}

// addKnown adds what may not be known.
func addKnown(a, b *int64) *int64 {
	switch {
	case b == nil:
		return a
	case a == nil:
		n := *b
		return &n
	}
	n := *a + *b
	return &n
}

package sqlite

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/actiongraph/actiongraph/errcode"
)

// A file of an earlier layout is not converted: it is a projection of the journal, so a
// writer puts it aside and folds the journal into a new one. Kill it anywhere, and the next
// writer finds either the old file at its place, to be put aside, or none or a new one, which
// it goes on with. What was put aside goes when the new one has caught up, but for one that
// holds sessions whose journal file is not there: nothing else has those.

// ErrOlder is of a file of an earlier layout that is opened to be read.
var ErrOlder = errcode.New(errcode.StoreOlder, "an earlier version of this program wrote it: the next verb that reads, `ag-sessiond sync` or a daemon makes it anew from the journal")

// errNewer is of a file of a later layout. It is left alone.
var errNewer = errors.New("a later version of this program wrote it: use that one, " +
	"or move the file away and `ag-sessiond sync` folds the journal into a new one")

// otherLayout is the error of a file whose layout is not this program's.
func otherLayout(version int64) error {
	which := ErrOlder
	if version > Version {
		which = errNewer
	}
	return fmt.Errorf("the file has layout version %d, this program reads version %d: %w", version, Version, which)
}

// refuseNewer looks at the file without SQLite, which would fold the log of one that it is to
// leave alone into it, and put two files beside it.
func (s *Store) refuseNewer() error {
	f, err := os.Open(s.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err
	}
	defer f.Close()
	var head [72]byte // https://www.sqlite.org/fileformat.html#the_database_header
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return nil // being made, or no database, as SQLite will say
	}
	version := int64(int32(binary.BigEndian.Uint32(head[60:])))
	if binary.BigEndian.Uint32(head[68:]) == applicationID && version > Version {
		return otherLayout(version)
	}
	return nil
}

// Superseded returns the layout version of the file that Open found and put aside, else 0.
func (s *Store) Superseded() int64 { return s.superseded }

// putAside gives the file, of an earlier layout, another name. The connection is closed.
func (s *Store) putAside() error {
	var version, busy, pages, folded int64
	err := s.conn.queryRow("PRAGMA user_version").Scan(&version)
	if err == nil { // one file is to hold all of it
		err = s.conn.queryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &folded)
	}
	err = errors.Join(err, s.conn.close())
	s.conn = nil
	if err == nil && busy != 0 {
		err = fmt.Errorf("it has layout version %d, and another process is reading it: end that one, and the next start makes it anew", version)
	}
	if err != nil {
		return err
	}
	aside := fmt.Sprintf("%s.v%d", s.path, version)
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		aside = fmt.Sprintf("%s.v%d-%d", s.path, version, n)
	}
	if err := os.Rename(s.path, aside); err != nil {
		return fmt.Errorf("put the file of layout version %d aside: %w", version, err)
	}
	s.superseded = version
	return nil
}

// removeLog removes the log of a file that is gone: it would be played into the next one.
func removeLog(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// AsidePattern matches what follows FileName in the name of a file that was put aside.
const AsidePattern = `\.v[0-9]+(-[0-9]+)?`

// Aside is a file of an earlier layout that was put aside.
type Aside struct {
	Path     string   `json:"path"`
	Layout   int64    `json:"layout"`
	Bytes    int64    `json:"bytes"`
	Sessions []string `json:"-"` // the ids of all that were folded into it, sorted
	Err      error    `json:"-"` // why Sessions is not known
}

// Asides lists what was put aside of the store at path, the oldest layout first.
func Asides(path string) ([]Aside, error) {
	names, err := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(path)), filepath.Base(path)+".v*"))
	if err != nil || len(names) == 0 {
		return nil, err
	}
	of := regexp.MustCompile(`^\.v([0-9]+)(-[0-9]+)?$`)
	var all []Aside
	for _, name := range names {
		parts := of.FindStringSubmatch(name[len(filepath.Join(filepath.Dir(path), filepath.Base(path))):])
		info, err := os.Lstat(name)
		if parts == nil || err != nil || !info.Mode().IsRegular() {
			continue
		}
		a := Aside{Path: name, Bytes: info.Size()}
		a.Layout, _ = strconv.ParseInt(parts[1], 10, 64)
		a.Sessions, a.Err = sessionsOf(name)
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Aside) int { return cmp.Or(cmp.Compare(a.Layout, b.Layout), cmp.Compare(a.Path, b.Path)) })
	return all, nil
}

func escapeGlob(dir string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllStringFunc(dir, func(c string) string {
		if filepath.Separator == '\\' {
			return c // Windows has no escapes there, nor these characters but its separator
		}
		return `\` + c
	})
}

// sessionsOf reads the ids of the sessions in a file that nobody writes, of any layout: each
// has had the table of positions.
func sessionsOf(path string) (sessions []string, err error) {
	db, err := sql.Open("sqlite", dsn(path, "ro")+"&immutable=1") // no files beside it
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Query("SELECT DISTINCT session FROM position WHERE journal <> '' ORDER BY session")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer rows.Close()
	for rows.Next() {
		var session string
		if err := rows.Scan(&session); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		sessions = append(sessions, session)
	}
	return sessions, rows.Err()
}

// DropOlder removes the files put aside of whose sessions done says that nobody needs them.
func (s *Store) DropOlder(done func(sessions []string) bool) error {
	asides, err := Asides(s.path)
	for _, a := range asides {
		if a.Err == nil && done(a.Sessions) {
			err = errors.Join(err, os.Remove(a.Path))
		}
	}
	return err
}

// Only returns the sessions of a file put aside that the journal does not have.
func Only(a Aside, has func(session string) bool) []string {
	return slices.DeleteFunc(slices.Clone(a.Sessions), has)
}

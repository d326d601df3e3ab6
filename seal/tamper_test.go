package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/seal"
)

// recorded is what a session's file has, cut as the property test cuts it: "\n{json}\n" each.
func recorded(content []byte) (all [][]byte) {
	for len(content) > 0 {
		n := 1 + bytes.IndexByte(content[1:], '\n') + 1
		all, content = append(all, content[:n]), content[n:]
	}
	return all
}

// tampering is one way to change a home, and where verify is to find it. It may draw that
// the change is none; then it says so.
type tampering struct {
	name  string
	apply func(t *rapid.T, h *home, session string) (want seal.Break, none bool)
}

// edit changes a session's records, and returns what was at fault.
func edit(change func(t *rapid.T, all [][]byte) (after [][]byte, kind string, record int)) func(*rapid.T, *home, string) (seal.Break, bool) {
	return func(t *rapid.T, h *home, session string) (seal.Break, bool) {
		before := h.read(h.path(session))
		all, kind, record := change(t, recorded(before))
		offset := 0
		for _, r := range all[:min(record, len(all))] {
			offset += len(r)
		}
		after := bytes.Join(all, nil)
		h.write(h.path(session), after)
		return seal.Break{Kind: kind, Session: session, Record: int64(record) + 1, Offset: int64(offset)}, bytes.Equal(before, after) || kind == ""
	}
}

func index(t *rapid.T, n int) int { return rapid.IntRange(0, n-1).Draw(t, "index") }

// line of a file, and what is before and behind it.
func cut(t *rapid.T, text []byte, first int) (before, line, after []byte) {
	lines := slices.Collect(bytes.Lines(text))
	i := first + index(t, len(lines)-first)
	return bytes.Join(lines[:i], nil), bytes.Clone(lines[i]), bytes.Join(lines[i+1:], nil)
}

func flip(t *rapid.T, text []byte) { text[index(t, len(text))] ^= 1 << index(t, 8) }

func tamperings() []tampering {
	return []tampering{
		{"flip a bit of a record", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			r := bytes.Clone(all[i])
			r[1+index(t, len(r)-2)] ^= 1 << index(t, 3) // of the JSON; no newline comes of it
			all[i] = r
			return all, seal.Changed, i
		})},
		{"change a newline", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			r := bytes.Clone(all[i])
			r[len(r)-1] = ' '
			all[i] = r
			if i == len(all)-1 {
				return all, seal.Truncated, i
			}
			return all, seal.Changed, i
		})},
		{"insert an empty line", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			all[i] = append([]byte("\n"), all[i]...)
			return all, seal.Changed, i
		})},
		{"remove a record", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			kind := seal.Removed
			if i == len(all)-1 {
				kind = seal.Truncated
			}
			return slices.Delete(all, i, i+1), kind, i
		})},
		{"insert a record", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			return slices.Insert(all, i, []byte("\n{\"event_id\":\"forged\"}\n")), seal.Inserted, i
		})},
		{"double a record", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			if i == len(all)-1 { // then it is one that was recorded since
				return all, "", 0
			}
			return slices.Insert(all, i, all[i]), seal.Inserted, i + 1
		})},
		{"swap two records", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i, k := index(t, len(all)), index(t, len(all))
			all[i], all[k] = all[k], all[i]
			return all, seal.Moved, min(i, k)
		})},
		{"truncate", edit(func(t *rapid.T, all [][]byte) ([][]byte, string, int) {
			i := index(t, len(all))
			all = all[:i+1]
			all[i] = all[i][:index(t, len(all[i]))]
			return all, seal.Truncated, i
		})},
		{"replace the file", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			h.write(h.path(session), []byte("\n{\"event_id\":\"forged\"}\n\n{\"event_id\":\"forged too\"}\n"))
			return seal.Break{Kind: seal.Changed, Session: session, Record: 1}, false
		}},
		{"remove the session", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			h.remove(h.path(session))
			return seal.Break{Kind: seal.SessionMissing, Session: session}, false
		}},
		{"remove the session and its seal", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			h.remove(h.path(session))
			h.remove(h.leaves(session))
			return seal.Break{Kind: seal.SessionMissing, Name: h.journal.TombstoneName(session)}, false
		}},
		{"bury the session", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			if err := h.journal.Forget([]string{session}, "forget", h.at); err != nil {
				h.t.Fatal(err)
			}
			return seal.Break{Kind: seal.SessionMissing, Name: h.journal.TombstoneName(session)}, false
		}},
		{"remove the seal", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			h.remove(h.leaves(session))
			return seal.Break{Kind: seal.SealMissing, Session: session}, false
		}},
		{"edit the seal", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			before, line, after := cut(t, h.read(h.leaves(session)), 1)
			flip(t, line)
			h.write(h.leaves(session), slices.Concat(before, line, after))
			return seal.Break{Kind: seal.SealEdited, Session: session}, false
		}},
		{"cut the seal", func(t *rapid.T, h *home, session string) (seal.Break, bool) {
			before, line, after := cut(t, h.read(h.leaves(session)), 1)
			h.write(h.leaves(session), slices.Concat(before, line[:index(t, len(line))], after))
			return seal.Break{Kind: seal.SealEdited, Session: session}, false
		}},
		{"edit the log", func(t *rapid.T, h *home, _ string) (seal.Break, bool) {
			before, line, after := cut(t, h.read(h.log()), 0)
			flip(t, line)
			h.write(h.log(), slices.Concat(before, line, after))
			return seal.Break{Kind: seal.LogEdited}, false
		}},
		{"cut an entry out of the log", func(t *rapid.T, h *home, _ string) (seal.Break, bool) {
			before, _, after := cut(t, h.read(h.log()), 0)
			h.write(h.log(), slices.Concat(before, after))
			return seal.Break{Kind: seal.LogEdited}, false
		}},
		{"remove the log", func(t *rapid.T, h *home, _ string) (seal.Break, bool) {
			h.remove(h.log())
			return seal.Break{Kind: seal.LogEdited}, false
		}},
	}
}

func (h *home) remove(path string) {
	if err := os.Remove(path); err != nil {
		h.t.Fatal(err)
	}
}

// sealedHomes are some homes that were sealed now and then, and what their sessions are called. To seal
// waits for the disk, so that the random tests begin with copies of these.
func sealedHomes(t *testing.T) (homes []*home, sessions [][]string) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		h, records := newHome(t), map[string]int64{}
		for range 1 + random.IntN(4) {
			for range 1 + random.IntN(3) {
				session, n := []string{"alpha", "beta", "gamma"}[random.IntN(3)], 1+random.IntN(5)
				h.record(session, n)
				records[session] += int64(n)
			}
			h.seal()
		}
		sum := int64(0)
		for _, n := range records {
			sum += n
		}
		h.proved(len(records), sum)
		homes, sessions = append(homes, h), append(sessions, slices.Sorted(maps.Keys(records)))
	}
	return homes, sessions
}

// copyHome copies a home.
func copyHome(t *testing.T, h *home) *home {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "home")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(h.dir)); err != nil {
		t.Fatal(err)
	}
	c := openHome(t, dir)
	c.store = h.store
	return c
}

// TestTampering: whatever is done to a sealed home is found, and where it was done; what was not
// touched is proved beside it.
func TestTampering(t *testing.T) {
	homes, allSessions := sealedHomes(t)
	for _, how := range tamperings() {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				i := rapid.IntRange(0, len(homes)-1).Draw(rt, "home")
				h, sessions := copyHome(t, homes[i]), allSessions[i]
				defer os.RemoveAll(h.dir)
				h.t = rt
				victim := rapid.SampledFrom(sessions).Draw(rt, "victim")
				want, none := how.apply(rt, h, victim)
				proof := h.verify()
				switch {
				case none && !proof.Proved:
					rt.Fatalf("nothing was changed: %v", proof.Breaks)
				case none:
					return
				case proof.Proved:
					rt.Fatalf("%s is not found, want %+v", victim, want)
				}
				got := proof.Breaks[0]
				if want.Kind == seal.LogEdited { // the last line without its newline, or none of it, is cut
					if got.Kind != seal.LogEdited && got.Kind != seal.StoreDiffers {
						rt.Fatalf("found %+v, want it in the log", got)
					}
					return
				}
				if want.Store != "" {
					if got.Kind != want.Kind || got.Store != want.Store {
						rt.Fatalf("found %+v, want %+v", got, want)
					}
					return
				}
				if len(proof.Breaks) != 1 || proof.Sessions != len(sessions)-1 {
					rt.Errorf("%d sessions are proved, breaks %+v; want the others", proof.Sessions, proof.Breaks)
				}
				got.Entry, got.Event, got.Detail = 0, "", ""
				if got != want {
					rt.Errorf("found %+v, want %+v", got, want)
				}
			})
		})
	}
}

// TestRecomputedWithoutKey: who changes a record and makes seal and log anew, but for signatures that he
// cannot make, is found in the log, at the first entry that he changed.
func TestRecomputedWithoutKey(t *testing.T) {
	forger, h := newHome(t), newHome(t)
	for _, each := range []*home{h, forger} {
		each.record("a", 3)
		each.seal()
		each.record("a", 3)
		each.seal()
		each.record("a", 1)
	}
	// All of the chain is right, and another key signed it.
	h.write(h.log(), append(firstLine(h.read(h.log())), afterFirst(forger.read(forger.log()))...))
	if p := h.verify(); p.Proved || p.Breaks[0].Kind != seal.LogEdited {
		t.Errorf("%+v", p.Breaks)
	}
	// The hashes follow each other, and only signatures are wrong.
	h = newHome(t)
	h.record("a", 3)
	h.seal()
	h.record("a", 3)
	h.seal()
	h.record("a", 3)
	h.seal()
	lines := bytes.Split(bytes.TrimSuffix(h.read(h.log()), []byte("\n")), []byte("\n"))
	for i := 2; i < len(lines); i++ {
		var l struct {
			Entry     json.RawMessage `json:"entry"`
			Signature []byte          `json:"signature"`
		}
		var e seal.Entry
		if json.Unmarshal(lines[i], &l) != nil || json.Unmarshal(l.Entry, &e) != nil {
			t.Fatalf("%s", lines[i])
		}
		e.Previous = fmt.Sprintf("%x", sha256.Sum256(lines[i-1]))
		e.Bytes++
		l.Entry, _ = json.Marshal(e)
		lines[i], _ = json.Marshal(l)
	}
	h.write(h.log(), append(bytes.Join(lines, []byte("\n")), '\n'))
	if p := h.verify(); p.Proved || p.Breaks[0].Kind != seal.LogEdited || p.Breaks[0].Entry != 3 {
		t.Errorf("%+v", p.Breaks)
	}
}

func firstLine(text []byte) []byte  { return bytes.Clone(text[:bytes.IndexByte(text, '\n')+1]) }
func afterFirst(text []byte) []byte { return text[bytes.IndexByte(text, '\n')+1:] }

// TestEditedEntry: no session is called changed because somebody edited what the log says of it.
func TestEditedEntry(t *testing.T) {
	h := newHome(t)
	for range 2 {
		h.record("a", 3)
		h.record("b", 1)
		h.seal()
	}
	h.write(h.log(), bytes.Replace(h.read(h.log()), []byte(`"records":3`), []byte(`"records":4`), 1))
	p := h.verify()
	if p.Proved || len(p.Breaks) != 1 || p.Breaks[0].Kind != seal.LogEdited || p.Breaks[0].Entry != 2 || p.Sessions != 0 {
		t.Errorf("%d sessions are proved, breaks %+v", p.Sessions, p.Breaks)
	}
}

// TestRolledBack: an older copy of the whole home, key and all, is found by what a store has.
func TestRolledBack(t *testing.T) {
	h := newHome(t)
	h.record("a", 3)
	h.seal()
	older := filepath.Join(t.TempDir(), "older")
	if err := os.CopyFS(older, os.DirFS(h.dir)); err != nil {
		t.Fatal(err)
	}
	h.record("a", 3)
	h.seal()
	h.proved(1, 6)
	if err := os.RemoveAll(h.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(h.dir, os.DirFS(older)); err != nil {
		t.Fatal(err)
	}
	if p := h.verify(); p.Proved || p.Sessions != 1 || p.Breaks[0].Kind != seal.StoreDiffers || p.Breaks[0].Entry != 3 {
		t.Errorf("%+v", p)
	}
}

// TestRewrittenWithKey: who has the key and writes another seal behind the old ones is found by those; who
// writes all of them anew, by a store.
func TestRewrittenWithKey(t *testing.T) {
	h := newHome(t)
	h.record("a", 3)
	h.seal()
	h.record("a", 3)
	h.seal()
	forged := bytes.Replace(h.read(h.path("a")), []byte("message 2"), []byte("message 9"), 1)
	key := h.read(filepath.Join(h.dir, seal.KeyFile))

	alike := newHome(t) // with the same key, and so with seals that hold
	for _, name := range []string{"id", "key"} {
		alike.write(filepath.Join(alike.dir, name), h.read(filepath.Join(h.dir, name)))
	}
	alike.write(filepath.Join(alike.dir, seal.KeyFile), key)
	alike.journal, _ = journal.Open(alike.dir)
	alike.sealer = seal.Sealer{Journal: alike.journal}
	alike.write(alike.path("a"), forged)
	alike.seal()
	alike.proved(1, 6)

	h.write(h.path("a"), forged)
	for path, text := range map[string][]byte{h.log(): alike.read(alike.log()), h.leaves("a"): alike.read(alike.leaves("a"))} {
		h.write(path, text)
	}
	if p := h.verify(); p.Proved || p.Sessions != 1 || p.Breaks[0].Kind != seal.StoreDiffers {
		t.Errorf("%+v", p)
	}
}

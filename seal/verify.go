package seal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/schema"
)

// Question is what Verify is asked.
type Question struct {
	Session string // "" is all
	// PublicKey, if given, is what the log has to be signed with: one that was kept elsewhere.
	PublicKey string
	// Copies are the ends of the log that stores hold, or that somebody kept.
	Copies []Copy
}

// Copy is what one store said of the log.
type Copy struct {
	Store string `json:"store"`
	// Entry is the number of the entry that it holds; 0 is none.
	Entry int64 `json:"entry,omitempty"`
	// Error says why the store was not asked, or did not answer.
	Error string `json:"error,omitempty"`

	head schema.SealHead
}

// CopyOf is a Copy of what somebody kept.
func CopyOf(store string, head schema.SealHead) Copy {
	return Copy{Store: store, Entry: head.Number, head: head}
}

// Proof is what Verify found.
type Proof struct {
	Proved bool `json:"proved"`
	// Sessions, Records and Bytes are those that were compared and hold.
	Sessions int   `json:"sessions"`
	Records  int64 `json:"records"`
	Bytes    int64 `json:"bytes"`
	// Unsealed are sessions that have grown since their last seal, or were never sealed, and by how much.
	Unsealed      int   `json:"unsealed_sessions"`
	UnsealedBytes int64 `json:"unsealed_bytes"`
	// Ended are the chains that somebody ended who was about to rewrite or forget a session.
	Ended     []Ended `json:"ended"`
	Breaks    []Break `json:"breaks"`
	Copies    []Copy  `json:"copies"`
	Last      Entry   `json:"last"` // of the log
	PublicKey string  `json:"public_key,omitempty"`
	TornBytes int64   `json:"torn_bytes,omitempty"` // at the end of the log, which a kill leaves
}

// Ended is an entry by which a chain ended, with the session's id where it is still known.
type Ended struct {
	Entry
	Session string `json:"session_id,omitempty"`
}

// ErrNothing is of a home in which nothing was sealed.
var ErrNothing = errcode.New(errcode.SealNothing, "nothing is sealed in this home: run ag-sessiond seal, or set enabled = true below [seal] in config.toml")

// Verify proves that what was sealed is there, neither changed nor removed nor with anything put in
// between, or says of each session where the first break is, and of the log. While it does, nobody
// seals, scrubs or forgets: the error wraps connector.ErrLocked where somebody does so for long.
func Verify(ctx context.Context, j *journal.Journal, q Question) (proof Proof, err error) {
	v := verification{journal: j, question: q, log: newLog(j.Home()), chains: history{}, lines: map[int64]sum{}, sessions: map[string]string{}}
	v.proof = Proof{Ended: []Ended{}, Breaks: []Break{}, Copies: append([]Copy{}, q.Copies...)}
	held, err := lock(j.Home(), lockWait)
	if errors.Is(err, connector.ErrLocked) {
		return v.proof, err
	}
	if err == nil { // else it is a copy that cannot be written to
		defer held.Unlock()
	}
	err = v.run(ctx)
	v.proof.Proved = err == nil && len(v.proof.Breaks) == 0 && v.log.last.Number > 0
	return v.proof, err
}

type verification struct {
	journal  *journal.Journal
	question Question
	log      *log
	chains   history
	lines    map[int64]sum     // the hashes of those that there are copies of
	sessions map[string]string // by name in the log
	proof    Proof
}

func (v *verification) run(ctx context.Context) error {
	if err := v.name(); err != nil {
		return err
	}
	for _, c := range v.question.Copies {
		v.lines[c.Entry] = sum{}
	}
	torn, err := v.log.read(v.entry)
	v.proof.TornBytes, v.proof.Last = torn, v.log.last
	var wrong *wrongLine
	switch {
	case errors.As(err, &wrong):
		v.chains.until(wrong.number)
		v.broken(Break{Kind: LogEdited, Entry: wrong.number, Detail: wrong.why})
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case v.log.last.Number == 0 && v.copies() == 0:
		return ErrNothing
	}
	if err := v.key(); err != nil {
		return err
	}
	if wrong == nil {
		v.compareCopies()
	}
	if err := v.compareSessions(ctx); err != nil {
		return err
	}
	return v.unsealed()
}

func (v *verification) broken(b Break) { v.proof.Breaks = append(v.proof.Breaks, b) }

// entry gets each entry of the log.
func (v *verification) entry(e Entry) {
	if _, wanted := v.lines[e.Number]; wanted {
		v.lines[e.Number] = hashOf(v.log.tip)
	}
	session := v.sessions[e.Name]
	if (e.Action == Rewrite || e.Action == Forget) && (v.question.Session == "" || v.question.Session == session) {
		v.proof.Ended = append(v.proof.Ended, Ended{e, session})
	}
	v.chains.add(e)
}

// name finds out which session has which name in the log.
func (v *verification) name() error {
	all, err := Sessions(v.journal)
	for _, session := range append(all, v.question.Session) {
		v.sessions[v.journal.TombstoneName(session)] = session
	}
	return err
}

// Sessions returns the sessions of a journal, and those of which only the seal is left.
func Sessions(j *journal.Journal) ([]string, error) {
	all, err := sessionsOf(j)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(journal.SealsDir(j.Home()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if session, ok := strings.CutSuffix(e.Name(), Suffix); ok && schema.ValidID(session) {
			all = append(all, session)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// key compares the key that the log was begun with with the home's, and with the one that was given.
func (v *verification) key() error {
	if v.log.key == nil {
		return nil
	}
	v.proof.PublicKey = encodeKey(v.log.key)
	own, err := PublicKey(v.journal.Home())
	if err == nil && own != v.proof.PublicKey {
		v.broken(Break{Kind: OtherKey, Entry: 1, Detail: "it is not that of " + filepath.Join(v.journal.Home(), KeyFile)})
	}
	if v.question.PublicKey == "" {
		return nil
	}
	given, err := parseKey(v.question.PublicKey)
	if err == nil && !given.Equal(v.log.key) {
		v.broken(Break{Kind: OtherKey, Entry: 1, Detail: "it is not the public key that was given"})
	}
	return err
}

func (v *verification) copies() (n int) {
	for _, c := range v.question.Copies {
		if c.Entry > 0 {
			n++
		}
	}
	return n
}

// compareCopies holds the log against the copies of its end.
func (v *verification) compareCopies() {
	for _, c := range v.question.Copies {
		b := Break{Kind: StoreDiffers, Store: c.Store, Entry: c.Entry}
		switch {
		case c.Entry == 0:
			continue
		case c.Entry > v.log.last.Number:
			b.Detail = fmt.Sprintf("the log ends with entry %d: its end was cut off, or an older copy of the home was put in its place", v.log.last.Number)
		case v.lines[c.Entry] != hashOf([]byte(c.head.Line)):
			b.Detail = "the log has another one: it was written anew by somebody who has the key"
		default:
			continue
		}
		v.broken(b)
	}
}

// compareSessions holds sessions against their chains, in the order in which these end in the log.
func (v *verification) compareSessions(ctx context.Context) error {
	if v.log.last.Journal == "" && v.log.last.Number == 0 {
		return nil
	}
	for _, name := range v.chains.names() {
		if err := ctx.Err(); err != nil {
			return err
		}
		session, known := v.sessions[name]
		if v.question.Session != "" && session != v.question.Session {
			continue
		}
		checkpoints := v.chains[name]
		last := checkpoints[len(checkpoints)-1]
		broken := &Break{Kind: SessionMissing, Name: name, Entry: last.Number}
		if known {
			broken = check(v.journal, session, checkpoints)
		}
		if broken != nil {
			v.broken(*broken)
			continue
		}
		v.proof.Sessions++
		v.proof.Records += last.Records
		v.proof.Bytes += last.Bytes
	}
	v.missing()
	return nil
}

// missing finds the sessions that somebody signed to rewrite, and that are not there to be sealed again.
func (v *verification) missing() {
	for _, name := range slices.Sorted(maps.Keys(v.log.chains)) {
		end, session := v.log.chains[name], v.sessions[name]
		if end.Action != Rewrite || v.question.Session != "" && session != v.question.Session {
			continue
		}
		if _, err := v.journal.Stat(session); session == "" || errors.Is(err, fs.ErrNotExist) {
			v.broken(Break{Kind: SessionMissing, Session: session, Name: name, Entry: end.Number})
		}
	}
}

// unsealed adds up what was written since the last seals.
func (v *verification) unsealed() error {
	files, err := v.journal.Files()
	if err != nil {
		return err
	}
	for _, f := range files {
		if v.question.Session != "" && f.Session != v.question.Session {
			continue
		}
		sealed := v.log.chains[v.journal.TombstoneName(f.Session)]
		if sealed.Action != Seal {
			sealed.Bytes = 0
		}
		if f.Size > sealed.Bytes {
			v.proof.Unsealed++
			v.proof.UnsealedBytes += f.Size - sealed.Bytes
		}
	}
	return nil
}

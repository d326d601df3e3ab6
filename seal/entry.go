package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"
)

// The actions of entries.
const (
	Begin   = "begin"
	Seal    = "seal"
	Rewrite = "rewrite"
	Forget  = "forget"
)

// Entry is one entry of the log; the package's comment says what is in it.
type Entry struct {
	Number   int64     `json:"number"`
	Previous string    `json:"previous,omitempty"`
	Time     time.Time `json:"time"`
	Action   string    `json:"action"`
	// Why is what asked for a Rewrite or Forget: a word.
	Why  string `json:"why,omitempty"`
	Name string `json:"name,omitempty"`
	// Records, Bytes and Head are those of the session's chain.
	Records int64  `json:"records,omitempty"`
	Bytes   int64  `json:"bytes,omitempty"`
	Head    string `json:"head,omitempty"`
	// Broken is what was wrong with the session before a Rewrite or Forget.
	Broken string `json:"broken,omitempty"`
	// Journal and PublicKey are Begin's.
	Journal   string `json:"journal,omitempty"`
	PublicKey string `json:"public_key,omitempty"`
}

// line is an entry as it is in the log.
type line struct {
	Entry     json.RawMessage `json:"entry"`
	Signature []byte          `json:"signature"`
}

// errNoEntry is of a line that is not as an entry is written.
var errNoEntry = errors.New("it is no entry as they are written")

// parseLine reads a line of the log. It takes only the very bytes that sign wrote: JSON can say the
// same in many ways, and a line is what the next one has the hash of.
func parseLine(text []byte) (l line, e Entry, err error) {
	if err := json.Unmarshal(text, &l); err != nil {
		return l, e, errNoEntry
	}
	if again, err := json.Marshal(l); err != nil || !bytes.Equal(again, text) {
		return l, e, errNoEntry
	}
	if err := json.Unmarshal(l.Entry, &e); err != nil {
		return l, e, errNoEntry
	}
	return l, e, nil
}

func signed(entry []byte) []byte { return append([]byte(domain+"\x00"), entry...) }

func (l line) verify(key ed25519.PublicKey) bool {
	return ed25519.Verify(key, signed(l.Entry), l.Signature)
}

// sign makes the line of an entry.
func (e Entry) sign(key ed25519.PrivateKey) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(line{Entry: text, Signature: ed25519.Sign(key, signed(text))})
}

func hashOf(line []byte) sum { return sha256.Sum256(line) }

package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// IDPattern is what session, action and event ids match. Whatever does not is
// hashed (SafeID), so that an id from a payload can be a file name or a key and
// never a path or a statement.
const IDPattern = `^[a-zA-Z0-9_-]{1,128}$`

// ValidID reports whether id matches IDPattern.
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// SafeID returns id where it is valid, else a valid id made from its hash. It is
// a pure function: the same foreign id always gives the same safe one.
func SafeID(id string) string {
	if ValidID(id) && !IsPositionsID(id) && id != Recorder {
		return id
	}
	return "h-" + NewID("id", id)
}

// PositionsID is what stands in a source_position for a session where it is about a file of
// no one session: such files are told by a hash of what they begin with. The journal
// keeps them beside the sessions, and lists none of them. SafeID returns no such id, so that
// nobody's session is mistaken for one.
func PositionsID(first uint64) string {
	digits := strconv.FormatUint(first, 16)
	return positionsPrefix + "0000000000000000"[len(digits):] + digits
}

const (
	positionsPrefix = "source-"
	probePrefix     = "doctor-probe-"
)

// IsPositionsID reports whether PositionsID made an id.
func IsPositionsID(id string) bool { return isNumbered(positionsPrefix, id) }

// ProbeID is the session of a probe: a hook that doctor calls, as a runtime would, to see
// that it records. SafeID lets it pass, as it comes in a payload. No journal lists it and no store has it.
func ProbeID(n uint64) string {
	digits := strconv.FormatUint(n, 16)
	return probePrefix + "0000000000000000"[len(digits):] + digits
}

// IsProbeID reports whether ProbeID made an id.
func IsProbeID(id string) bool { return isNumbered(probePrefix, id) }

// Recorder is the source_sdk of what is recorded of the recording itself, as that a line was
// torn; and the session of such events where they belong to no one's. The journal keeps that
// beside the sessions, and does not list it. SafeID returns no such id.
const Recorder = "ag-recorder"

// NoSession reports whether what a journal keeps under an id is nobody's session: positions,
// a probe, or what is recorded of the recording.
func NoSession(id string) bool { return IsPositionsID(id) || IsProbeID(id) || id == Recorder }

// isNumbered reports whether an id is a prefix and 16 hexadecimal digits.
func isNumbered(prefix, id string) bool {
	if len(id) != len(prefix)+16 || id[:len(prefix)] != prefix {
		return false
	}
	for _, c := range []byte(id[len(prefix):]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// NewID returns 32 hexadecimal digits: the first 128 bits of the SHA-256 of the
// parts, each preceded by its length, so that ("a","bc") and ("ab","c") differ.
func NewID(parts ...string) string {
	return NewKey(parts...).String()
}

// Key is an id as bytes: half the size of its text, and no allocation.
type Key [16]byte

// String returns the id.
func (k Key) String() string {
	var text [2 * len(k)]byte
	hex.Encode(text[:], k[:])
	return string(text[:])
}

// NewKey returns the bytes of NewID(parts...).
func NewKey(parts ...string) Key {
	buf := make([]byte, 0, 256)
	for _, p := range parts {
		buf = strconv.AppendInt(buf, int64(len(p)), 10)
		buf = append(buf, ':')
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return Key(sum[:16])
}

// EventID returns the id of a fact from its origin, the kind of fact and its
// natural key, for example (OriginHook, "post", "toolu_01…"). Where a source
// gives no natural key the caller passes the receive time and the payload.
func EventID(origin Origin, kind string, key ...string) string {
	var few [8]string // on the stack
	return NewID(append(append(few[:0], "event", string(origin), kind), key...)...)
}

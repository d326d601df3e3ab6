package schema_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/actiongraph/actiongraph/schema"
)

func TestValidIDIsIDPattern(t *testing.T) {
	pattern := regexp.MustCompile(schema.IDPattern)
	ids := []string{"", "a", "A_z-09", "a.b", "a/b", "..", "a b", "a\n", "é", "a\x00", "\xff", "@", "[", "`", "{", "/", ":",
		strings.Repeat("x", 128), strings.Repeat("x", 129)}
	for _, id := range ids {
		if got, want := schema.ValidID(id), pattern.MatchString(id); got != want {
			t.Errorf("ValidID(%q) = %v, the pattern says %v", id, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z0-9_/.-]{0,130}`)).Draw(t, "id")
		if got, want := schema.ValidID(id), pattern.MatchString(id); got != want {
			t.Fatalf("ValidID(%q) = %v, the pattern says %v", id, got, want)
		}
		if safe := schema.SafeID(id); !schema.ValidID(safe) {
			t.Fatalf("SafeID(%q) = %q is not valid", id, safe)
		} else if schema.ValidID(id) && safe != id {
			t.Fatalf("SafeID(%q) = %q changes a valid id", id, safe)
		}
	})
}

func TestSafeIDKeepsForeignIDsApart(t *testing.T) {
	seen := map[string]string{}
	for _, id := range []string{"", "../../etc/passwd", "..", ".", "a b", "a  b", strings.Repeat("x", 129), strings.Repeat("x", 130), "é"} {
		safe := schema.SafeID(id)
		if other, ok := seen[safe]; ok {
			t.Errorf("%q and %q are both %q", id, other, safe)
		}
		seen[safe] = id
		if strings.ContainsAny(safe, "./\\ ") {
			t.Errorf("SafeID(%q) = %q", id, safe)
		}
	}
	if again := schema.SafeID("a/b"); schema.SafeID("a/b") != again {
		t.Error("SafeID is not a function of its argument")
	}
}

// The ids are in journals that exist: these must never change.
func TestIDsAreStable(t *testing.T) {
	for got, want := range map[string]string{
		schema.NewID():                                               "e3b0c44298fc1c149afbf4c8996fb924",
		schema.SafeID("../../etc/passwd"):                            "h-3b050db734c33b6b1cc8ba0dc8f81247",
		schema.EventID(schema.OriginHook, "post", "toolu_x"):         "4153fabbbba9c392b9817a57b06e6ab8",
		schema.EventID(schema.OriginTranscript, "uuid-1", "0"):       "6199f4b8ec21bc1aee2666b022e50612",
		schema.EventID(schema.OriginAudit, "dump.jsonl", "deadbeef"): "539ffecf47e5003f41e23e0836c7178b",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNewIDTellsItsPartsApart(t *testing.T) {
	ids := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"a", "bc"}, {"ab", "c"}, {"abc"}, {"a", "b", "c"}, {"1:a"}, {"1:", "a"}, {"a1:b"}, {"a", "b"}} {
		id := schema.NewID(parts...)
		if other, ok := ids[id]; ok {
			t.Errorf("%q and %q have one id", parts, other)
		}
		ids[id] = parts
		if len(id) != 32 || !schema.ValidID(id) {
			t.Errorf("NewID(%q) = %q", parts, id)
		}
	}
}

// TestPositionsAreNobodysSession: whatever somebody calls a session, it is none of the files
// that the journal does not list.
func TestPositionsAreNobodysSession(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := schema.PositionsID(rapid.Uint64().Draw(t, "first"))
		if !schema.IsPositionsID(id) || !schema.ValidID(id) || len(id) != len("source-")+16 {
			t.Fatalf("%q", id)
		}
		safe := schema.SafeID(id)
		if schema.IsPositionsID(safe) || !schema.ValidID(safe) || schema.SafeID(safe) != safe {
			t.Fatalf("%q becomes %q", id, safe)
		}
	})
	for _, id := range []string{"", "source-", "source-0", "source-000000000000000g", "source-00000000000000000", "Source-0000000000000000", "source-000000000000000A"} {
		if schema.IsPositionsID(id) {
			t.Errorf("%q is taken for one", id)
		}
	}
}

// TestProbesPassAsTheyAre: the id of a probe comes back out of a payload, and no other id is
// taken for one.
func TestProbesPassAsTheyAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		id := schema.ProbeID(n)
		if !schema.IsProbeID(id) || !schema.NoSession(id) || schema.IsPositionsID(id) || schema.SafeID(id) != id || !schema.ValidID(id) {
			t.Fatalf("%q", id)
		}
		if !schema.NoSession(schema.Recorder) || !schema.ValidID(schema.Recorder) || schema.SafeID(schema.Recorder) == schema.Recorder {
			t.Fatalf("%q is somebody's session", schema.Recorder)
		}
		if !schema.NoSession(schema.PositionsID(n)) || schema.IsProbeID(schema.PositionsID(n)) {
			t.Fatalf("%q", schema.PositionsID(n))
		}
	})
	for _, id := range []string{"", "doctor-probe-", "doctor-probe-1", "xdoctor-probe-0000000000000000", "doctor-probe-000000000000000G", "s"} {
		if schema.IsProbeID(id) || schema.NoSession(id) {
			t.Errorf("%q is taken for one", id)
		}
	}
}

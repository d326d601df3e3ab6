package config

import (
	"fmt"
	"strings"

	"github.com/actiongraph/actiongraph/internal/nearest"
)

// Transcripts is [transcripts]: which of the runtime's own session files the daemon
// reads as they grow.
type Transcripts struct {
	// Follow lists Announced, All, and folders, relative to the home; "~/" is the user's.
	// nil, where the key is missing, is Announced alone; an empty list is none.
	Follow []string `toml:"follow" env:"AG_TRANSCRIPTS_FOLLOW"`
}

// The words that Transcripts.Follow may hold beside folders.
const (
	Announced = "announced" // what hook events name: the sessions that are recorded
	All       = "all"       // these, and all below the folders where the runtime keeps its sessions
)

// complete makes folders absolute, and refuses what is neither a word nor a folder.
func (t *Transcripts) complete(home string) error {
	for i, f := range t.Follow {
		if f == Announced || f == All {
			continue
		}
		if !strings.ContainsAny(f, `/\`) {
			for _, word := range []string{Announced, All} {
				if nearest.Distance(f, word) <= 2 {
					return fmt.Errorf("follow: %q: did you mean %q?", f, word)
				}
			}
			return fmt.Errorf("follow: %q: want %q, %q or a folder like %q", f, Announced, All, "~/.claude/projects")
		}
		f, err := absolute(home, f)
		if err != nil {
			return fmt.Errorf("follow: %q: %w", t.Follow[i], err)
		}
		t.Follow[i] = f
	}
	return nil
}

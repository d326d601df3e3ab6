package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/internal/nearest"
)

// Source is one [[source]]: JSONL files that another program writes and the daemon reads
// as they grow.
type Source struct {
	// Path is a file, a folder or a glob, relative to the home; "~/" is the user's. What
	// is not there yet is read once it is.
	Path string `toml:"path"`
	// Format is one of SourceFormats; by default Auto.
	Format string `toml:"format"`
	// Namespace is that of Action grains which name none.
	Namespace string `toml:"namespace"`
	// KeepUnknown keeps grains of other types than action as unknown events; else they are
	// bad lines.
	KeepUnknown bool `toml:"keep_unknown"`
}

// Auto is the format of a Source whose files say by what is in them what they are.
const Auto = "auto"

// SourceFormats are the formats that a Source may have: Auto, and those of adapters/jsonl.
func SourceFormats() []string { return []string{Auto, "audit", "trace-events", "oms", "events"} }

// complete makes the path absolute, and refuses what nobody can follow.
func (s *Source) complete(home string) error {
	if strings.TrimSpace(s.Path) == "" {
		return errors.New(`path is missing: give a file, a folder or a glob like path = "~/agent/logs/*.jsonl"`)
	}
	if s.Path == "-" {
		return errors.New(`path "-": a daemon has no input: give a file, a folder or a glob`)
	}
	path, err := absolute(home, s.Path)
	if err != nil {
		return fmt.Errorf("path %q: %w", s.Path, err)
	}
	if _, err := filepath.Match(path, ""); err != nil {
		return fmt.Errorf("path %q: a glob that nobody can read: close its [, or write \\[ for the character", s.Path)
	}
	s.Path = path
	if s.Format == "" {
		s.Format = Auto
	}
	if err := checkFormat(s.Format); err != nil {
		return err
	}
	if err := jsonl.CheckNamespace(cmp.Or(s.Namespace, jsonl.DefaultNamespace)); err != nil {
		return fmt.Errorf("namespace %q: %w", s.Namespace, err)
	}
	if s.Format != Auto && s.Format != "oms" && (s.Namespace != "" || s.KeepUnknown) {
		return fmt.Errorf("format %q: namespace and keep_unknown are for Action grains: leave them out, or say format = \"oms\"", s.Format)
	}
	return nil
}

func checkFormat(format string) error {
	known := SourceFormats()
	if slices.Contains(known, format) {
		return nil
	}
	if format == "claude" {
		return fmt.Errorf("format %q: transcripts are followed by follow in [transcripts]", format)
	}
	for _, k := range known {
		if nearest.Distance(format, k) <= max(2, len(k)/3) {
			return fmt.Errorf("format %q: did you mean %q?", format, k)
		}
	}
	return fmt.Errorf("format %q: there are %s", format, strings.Join(known, ", "))
}

// absolute is a path of the file: "~/" is the user's home, other relative ones begin in
// the home.
func absolute(home, path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("%w: give a whole path", err)
		}
		return filepath.Join(user, rest), nil
	}
	if !filepath.IsAbs(path) {
		return filepath.Join(home, path), nil
	}
	return path, nil
}

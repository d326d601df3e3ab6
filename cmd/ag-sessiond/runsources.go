package main

import (
	"path/filepath"
	"slices"

	"github.com/rs/zerolog"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/source"
)

// sources is what the configuration and --source say: the JSONL that a daemon reads as it
// grows. What the configuration says of a path is not said anew by a flag.
func (a *app) sources(c config.Config, paths []string) (specs []source.Spec, err error) {
	for _, s := range c.Source {
		if specs, err = addSource(specs, s.Path, source.Options{Format: sourceFormat(s.Format), Namespace: s.Namespace, KeepUnknown: s.KeepUnknown}); err != nil {
			return nil, usagef("%s: [[source]]: %w", a.configPath(), err)
		}
	}
	for _, path := range paths {
		if specs, err = addSource(specs, path, source.Options{}); err != nil {
			return nil, usagef("--source: %w", err)
		}
	}
	return specs, nil
}

// addSource adds what is at a path, unless it is there already.
func addSource(specs []source.Spec, path string, o source.Options) ([]source.Spec, error) {
	switch {
	case path == "":
		return nil, usagef("there is no path")
	case path == stdinPath:
		return nil, usagef("a pipe is not followed: ag-sessiond import - reads it until it ends")
	case isHome(path):
		return nil, usagef("%s is a home of actiongraph: ag-sessiond import takes in what is in it", path)
	}
	if _, err := filepath.Match(path, ""); err != nil {
		return nil, usagef("%s: a glob that nobody can read: close its [", path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(specs, func(s source.Spec) bool { return s.Path == path }) {
		return specs, nil
	}
	return append(specs, source.Spec{Path: path, Options: o}), nil
}

// sourceFormat is the format that a flag or the configuration names; "" finds out.
func sourceFormat(name string) jsonl.Format {
	if name == config.Auto {
		return ""
	}
	return jsonl.Format(name)
}

func specPaths(specs []source.Spec) []string {
	paths := make([]string, len(specs))
	for i, s := range specs {
		paths[i] = s.Path
	}
	return paths
}

// sourceFollower reads them; nil where there are none.
func sourceFollower(j *journal.Journal, specs []source.Spec, log zerolog.Logger) *source.Follower {
	if len(specs) == 0 {
		return nil
	}
	follower := actiongraph.SourceFollower(j, specs...)
	follower.Log = log
	return follower
}

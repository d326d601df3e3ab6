package main

import (
	"github.com/actiongraph/actiongraph/internal/render"
)

// configured is what the configuration has a daemon read, shown where none runs: otherwise
// nobody would know why nothing of it arrives.
type configured struct {
	Sources []configuredSource `json:"sources"`
	// Transcripts are the folders below which they are read as they grow.
	Transcripts []string `json:"transcripts"`
}

type configuredSource struct {
	Path      string `json:"path"`
	Format    string `json:"format"`
	Namespace string `json:"namespace,omitempty"`
}

// configuredOnly is nil where a daemon would read nothing but the transcripts that hooks
// announce, which it does without a configuration.
func (a *app) configuredOnly() (*configured, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	f, err := a.transcripts(c, treesFlag{}, false)
	if err != nil {
		return nil, err
	}
	if _, err := a.sources(c, nil); err != nil { // a path that run would refuse
		return nil, err
	}
	if len(c.Source)+len(f.trees) == 0 {
		return nil, nil
	}
	out := &configured{Sources: []configuredSource{}, Transcripts: list(f.trees)}
	for _, s := range c.Source {
		out.Sources = append(out.Sources, configuredSource{Path: s.Path, Format: s.Format, Namespace: s.Namespace})
	}
	return out, nil
}

func (a *app) printConfigured(c *configured) {
	if c == nil {
		return
	}
	a.printf("\nin config.toml, not read now: no daemon runs (ag-sessiond run)\n")
	for _, s := range c.Sources {
		what := s.Format
		if s.Namespace != "" {
			what += ", namespace " + s.Namespace
		}
		a.printf("%-10s%s (%s)\n", "source", render.OneLine(s.Path), render.OneLine(what))
	}
	for _, dir := range c.Transcripts {
		a.printf("%-10s%s (transcripts)\n", "folder", render.OneLine(dir))
	}
}

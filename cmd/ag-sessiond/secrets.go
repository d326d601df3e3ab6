package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/connector/neo4j"
	"github.com/actiongraph/actiongraph/connector/sqlite"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/secrets"
)

func (a *app) secretsCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Find credentials in what is recorded, and take them out",
		Example: `  ag-sessiond secrets scan
  ag-sessiond secrets scrub`,
		Args: a.noSuchVerb,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.add(cmd, "", a.secretsScanCmd(), a.secretsScrubCmd())
	return cmd
}

func (a *app) secretsScanCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Look for credentials, by the rules of gitleaks, in all that is recorded",
		Long: `Look for credentials in the journal, the embedded store, its raw bytes, the logs of the
home, and every Neo4j or Memgraph in config.toml: by all rules of gitleaks, by those that
what is recorded goes through anyway, as they are today, and by [redact] patterns. What is
found is told by rule, session and field, never itself. Nothing is changed.

Exit code 0 says that nothing was found, 3 that something was, 1 that not everything could
be looked at. It is best effort: a password in a sentence has no shape that a rule knows.
What is found and no secret: put its fingerprint into [secrets] allow in config.toml.`,
		Example: `  ag-sessiond secrets scan
  ag-sessiond secrets scan --json
  ag-sessiond config set secrets.allow '["generic-api-key:0123456789abcdef"]'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.secretsScan(cmd.Context()) },
	}
	a.graphFlag(cmd, "look into this Neo4j or Memgraph, too, by `URL` or name in config.toml; may be repeated")
	return cmd
}

func (a *app) secretsScan(ctx context.Context) error {
	j, err := a.existingJournal(noFindings())
	if err != nil || j == nil {
		return err
	}
	sc, err := a.openScan(ctx, j)
	if err != nil {
		return err
	}
	defer sc.close()
	report, err := sc.scan(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(report)
	} else {
		err = a.printSecrets(report)
	}
	switch {
	case err != nil:
		return err
	case len(report.Findings) > 0:
		return &exitError{code: exitDiffers, err: errcode.With(errcode.SecretsFound, fmt.Errorf("%s; to take them out: ag-sessiond secrets scrub", render.Plural(int64(len(report.Findings)), "finding")))}
	case len(report.Unread) > 0:
		return errcode.With(errcode.SecretsUnread, fmt.Errorf("not everything could be looked at: %s", strings.Join(report.Unread, "; ")))
	}
	return nil
}

// noFindings is what is found where nothing is recorded.
func noFindings() secrets.Report {
	return secrets.Report{Findings: []secrets.Finding{}, Apart: []secrets.Finding{}, Unread: []string{}}
}

func (a *app) printSecrets(r secrets.Report) error {
	rows := func(found []secrets.Finding) error {
		cols := []render.Column{
			{Title: "RULE"}, {Title: "WHERE", Give: 8}, {Title: "SESSION", Give: 8}, {Title: "FIELD", Give: 12},
			{Title: "TIMES", Right: true, Drop: 1}, {Title: "FINGERPRINT", Drop: 2},
		}
		var cells [][]string
		for _, f := range found {
			cells = append(cells, []string{f.Rule, f.Where, f.Session, f.Field, render.Count(int64(f.Count)), f.Fingerprint})
		}
		return a.style.Table(a.out, cols, cells)
	}
	if len(r.Apart) > 0 {
		a.printf("In files of your own, which stay as they are:\n")
		if err := rows(r.Apart); err != nil {
			return err
		}
	}
	if len(r.Findings) == 0 {
		a.printf("no secret found in %s: %s, stores and logs, %s\n", render.Bytes(r.Bytes), render.Plural(int64(r.Sessions), "session"), render.Duration(r.Duration))
		return nil
	}
	return rows(r.Findings)
}

// openScan is what a scan of the home looks at: its journal, its store and every graph.
type openScan struct {
	*app
	secrets.Scanner
	graphs []graphStore
}

type graphStore struct {
	config.Graph
	store *neo4j.Store
}

func (a *app) openScan(ctx context.Context, j *journal.Journal) (*openScan, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	graphs, err := a.allGraphs(c)
	if err != nil {
		return nil, err
	}
	rules, err := secrets.NewRules(secrets.Options{Key: j.Key(), Allow: c.Secrets.Allow, Policy: j.CapturePolicy()})
	if err != nil {
		return nil, err
	}
	sc := &openScan{app: a, Scanner: secrets.Scanner{Journal: j, Rules: rules, Stores: map[string]secrets.Store{}}}
	path := filepath.Join(j.Home(), storeFile)
	if _, err := os.Stat(path); err == nil {
		store, err := sqlite.Open(path, sqlite.Options{ReadOnly: true})
		if isOlder(err) || errors.Is(err, sqlite.ErrBeingMade) { // by one that was killed
			if err = a.catchUp(ctx, j, path); err == nil {
				store, err = sqlite.Open(path, sqlite.Options{ReadOnly: true})
			}
		}
		if err != nil {
			return nil, unavailable(err)
		}
		sc.Stores[embedded] = store
		sc.Files = []string{path, path + "-wal"}
		older, err := sqlite.Asides(path) // of before an upgrade
		if err != nil {
			sc.close()
			return nil, err
		}
		for _, o := range older {
			sc.Files = append(sc.Files, o.Path)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, unavailable(err)
	}
	for _, g := range graphs {
		store, err := a.open(ctx, g, true, zerolog.Nop())
		if err != nil {
			sc.close()
			return nil, err
		}
		sc.Stores[g.Name] = store
		sc.graphs = append(sc.graphs, graphStore{g, store})
	}
	return sc, nil
}

func (sc *openScan) close() {
	for _, store := range sc.Stores {
		store.(connector.Store).Close()
	}
}

// scan is Scan with a progress bar.
func (sc *openScan) scan(ctx context.Context) (secrets.Report, error) {
	done := sc.bar(ctx)
	defer done()
	return sc.Scan(ctx)
}

// bar has the scans draw how far they are, until done.
func (sc *openScan) bar(ctx context.Context) (done func()) {
	progress, done := sc.namedBar(ctx, "scan")
	if progress != nil {
		sc.Progress = func(done, total int64) { progress(connector.Progress{Bytes: done, TotalBytes: max(done, total)}) }
	}
	return done
}

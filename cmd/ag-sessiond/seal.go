package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/seal"
)

// sealPatience is how long a store is waited for that is to keep, or to show, the end of the log of seals.
const sealPatience = 5 * time.Second

func (a *app) sealCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "seal [SESSION...]",
		Short: "Seal what is recorded: what is changed afterwards is evident",
		Long: `Chain what each session holds, record by record, sign the end of each chain with the home's
own key, and give the end of the signed log to every store, so that whoever edits files
afterwards cannot make it unseen: ag-sessiond verify --seal finds what was changed, removed or
inserted. Without SESSION all are sealed; what was sealed before is not read again.

The daemon does so by itself: ag-sessiond config set seal.enabled true. docs/seal.md says
who is caught by that, and who is not. Hooks do nothing for it.

A store that cannot be reached is named, and gets it the next time. Exit code 1 says that a
session could not be sealed, or that a store has the end of another log.`,
		Example: `  ag-sessiond seal
  ag-sessiond seal latest --json
  ag-sessiond seal head > /media/elsewhere/head`,
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return usagef("--all and SESSION: give one of them")
			}
			return a.seal(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all sessions, as without SESSION")
	a.graphFlag(cmd, "give it to this Neo4j or Memgraph, too, by `URL` or name in config.toml; may be repeated")
	a.add(cmd, "", a.sealKeyCmd(), a.sealHeadCmd())
	return cmd
}

func (a *app) sealKeyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the public key that signatures are checked with",
		Long: `Print the public key of this home's seals. Kept elsewhere, it shows later that nobody has put
another key in its place: ag-sessiond verify --seal --public-key FILE. The private one is in
seal.key in the home, and is made by the first seal.`,
		Example: "  ag-sessiond seal key > /media/elsewhere/key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			j, err := a.ownJournal()
			if err != nil {
				return unavailable(err)
			}
			key, err := seal.PublicKey(j.Home())
			if errors.Is(err, fs.ErrNotExist) {
				return seal.ErrNothing
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]string{"public_key": key})
			}
			a.printf("%s\n", key)
			return nil
		},
	}
}

func (a *app) sealHeadCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "head",
		Short: "Print the end of the signed log, to be kept elsewhere",
		Long: `Print the last line of the log of seals, which covers all of it. Kept where who can write to this
home cannot, it does what a copy in a store does: ag-sessiond verify --seal --head FILE.`,
		Example: "  ag-sessiond seal head > /media/elsewhere/head",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			j, err := a.ownJournal()
			if err != nil {
				return unavailable(err)
			}
			head, err := seal.Ends(j)
			if err == nil && head.Number == 0 {
				err = seal.ErrNothing
			}
			if err == nil {
				a.printf("%s\n", head.Line) // which is JSON
			}
			return err
		},
	}
}

// sealReport is what seal prints as JSON.
type sealReport struct {
	seal.Report
	// Stores says of each store what kept it from getting the end of the log; "" is nothing.
	Stores map[string]string `json:"stores"`
}

func (a *app) seal(ctx context.Context, args []string) error {
	report := sealReport{Stores: map[string]string{}}
	j, err := a.existingJournal(report)
	if err != nil || j == nil {
		return err
	}
	a.resumeForgetting(j)
	var sessions []string
	for _, arg := range args {
		session, err := sealedSession(j, arg)
		if err != nil {
			return err
		}
		sessions = append(sessions, session)
	}
	sealer := &seal.Sealer{Journal: j}
	report.Report, err = sealer.Seal(ctx, a.now(), sessions...)
	if errors.Is(err, connector.ErrLocked) {
		return unavailable(err)
	}
	if err != nil && report.Last.Number == 0 { // nothing was
		return err
	}
	if report.Last.Number > 0 {
		err = errors.Join(err, a.keepHead(ctx, sealer, report.Stores))
	}
	if a.json {
		return errors.Join(err, a.printJSON(report))
	}
	a.printf("sealed %s in %s, %s\n", render.Plural(report.Records, "record"), render.Plural(int64(report.Sessions), "session"), render.Bytes(report.Bytes))
	for _, session := range report.Later {
		a.note("session %s is being rewritten: it is sealed by the next seal", session)
	}
	return err
}

// keepHead gives every store the end of the log; why says which have not got it.
func (a *app) keepHead(ctx context.Context, sealer *seal.Sealer, why map[string]string) (failed error) {
	return a.withWitnesses(ctx, sealer.Journal, false, func(name string, store connector.Witness, err error) {
		if err == nil {
			ctx, cancel := context.WithTimeout(ctx, sealPatience)
			defer cancel()
			err = sealer.Keep(ctx, name, store)
		}
		switch why[name] = ""; {
		case err == nil:
			return
		case errors.Is(err, seal.ErrOtherLog):
			failed = errors.Join(failed, fmt.Errorf("store %s: %w", name, err))
		default:
			a.note("store %s has not got the end of the log, and gets it with a later seal: %v", name, err)
		}
		why[name] = err.Error()
	})
}

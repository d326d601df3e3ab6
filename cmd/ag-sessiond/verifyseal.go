package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/journal"
	"github.com/actiongraph/actiongraph/seal"
)

// sealQuestion are the flags of verify --seal.
type sealQuestion struct {
	asked     bool
	publicKey string // files
	head      string
}

// verifySeal proves that what was sealed is there as it was.
func (a *app) verifySeal(ctx context.Context, flags sealQuestion, args []string) error {
	j, err := a.ownJournal()
	if err != nil {
		return unavailable(err)
	}
	q, err := a.askSeal(ctx, j, flags)
	if err == nil && len(args) > 0 {
		q.Session, err = sealedSession(j, args[0])
	}
	if err != nil {
		return err
	}
	proof, err := seal.Verify(ctx, j, q)
	if errors.Is(err, connector.ErrLocked) {
		return unavailable(err)
	}
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(proof)
	} else {
		a.printProof(proof)
	}
	if err == nil && !proof.Proved {
		err = &exitError{code: exitDiffers, err: errcode.With(errcode.SealBroken, fmt.Errorf("%s: keep a copy of the home as it is; docs/seal.md says what each means, and what to do",
			render.Plural(int64(len(proof.Breaks)), "break")))}
	}
	return err
}

// askSeal gathers what the log of seals is held against.
func (a *app) askSeal(ctx context.Context, j *journal.Journal, flags sealQuestion) (q seal.Question, err error) {
	if flags.publicKey != "" {
		if q.PublicKey, err = lineOf(flags.publicKey); err != nil {
			return q, err
		}
	}
	if flags.head != "" {
		line, err := lineOf(flags.head)
		if err != nil {
			return q, err
		}
		head, err := seal.ParseEnd(line)
		if err != nil {
			return q, usagef("--head %s: %w: ag-sessiond seal head prints one", flags.head, err)
		}
		q.Copies = append(q.Copies, seal.CopyOf(flags.head, head))
	}
	err = a.withWitnesses(ctx, j, true, func(name string, store connector.Witness, err error) {
		if err != nil {
			q.Copies = append(q.Copies, seal.Copy{Store: name, Error: err.Error()})
			return
		}
		q.Copies = append(q.Copies, seal.AskCopy(ctx, name, store, j.ID(), sealPatience))
	})
	return q, err
}

// lineOf reads a file of one line.
func lineOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func (a *app) printProof(p seal.Proof) {
	for _, b := range p.Breaks {
		what := ""
		switch {
		case b.Session != "":
			what = "session " + b.Session + ": "
		case b.Name != "":
			what = "session (name in the log " + b.Name + "): "
		}
		if b.Event != "" {
			b.Detail = strings.TrimPrefix(b.Detail+", it says it is event "+b.Event, ", ")
		}
		a.printf("%s\n", render.OneLine("broken: "+what+b.String()))
	}
	a.printf("proved: %s in %s, %s\n", render.Plural(p.Records, "record"), render.Plural(int64(p.Sessions), "session"), render.Bytes(p.Bytes))
	if p.Last.Number > 0 {
		a.printf("sealed: up to %s, entry %d of the log\n", p.Last.Time.Local().Format(time.DateTime), p.Last.Number)
	}
	if p.Unsealed > 0 {
		a.printf("not sealed yet: %s in %s\n", render.Bytes(p.UnsealedBytes), render.Plural(int64(p.Unsealed), "session"))
	}
	a.printEnded(p.Ended)
	for _, c := range p.Copies {
		switch {
		case c.Error != "":
			a.note("not asked: store %s: %s", c.Store, c.Error)
		case c.Entry == 0:
			a.note("store %s has no copy of the log's end: ag-sessiond seal gives it one", c.Store)
		default:
			a.printf("copy: %s has entry %d\n", c.Store, c.Entry)
		}
	}
	if p.TornBytes > 0 {
		a.note("the log ends with %s of a line that nobody ended, as a kill leaves it; the next seal cuts that off", render.Plural(p.TornBytes, "byte"))
	}
}

// printEnded says who rewrote or forgot sealed sessions: those that were not whole then, one by one.
func (a *app) printEnded(ended []seal.Ended) {
	count := map[string]int64{}
	for _, e := range ended {
		count[e.Action]++
		if e.Broken != "" {
			name := e.Session
			if name == "" {
				name = "(name in the log " + e.Name + ")"
			}
			a.printf("%s\n", render.OneLine(fmt.Sprintf("broken before: session %s, when it was to be changed by %s on %s: %s", name, e.Why, e.Time.Local().Format(time.DateTime), e.Broken)))
		}
	}
	if len(ended) > 0 {
		a.printf("signed for: %s rewritten, %d forgotten\n", render.Plural(count[seal.Rewrite], "session"), count[seal.Forget])
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/connector"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/internal/render"
	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) tagCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tag SESSION TAG...",
		Short: "Put tags on a session",
		Long:  `Put tags on a session. They are events of its journal, so a replay has them.`,
		Example: `  ag-sessiond tag latest release-42 flaky
  ag-sessiond sessions --tag flaky`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.oneSession,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.setTags(cmd.Context(), args[0], args[1:], "") },
	}
	cmd.SetFlagErrorFunc(tagFlagError)
	return cmd
}

// tagFlagError says why tags have no --graph, which most other verbs have.
func tagFlagError(cmd *cobra.Command, err error) error {
	if strings.HasSuffix(err.Error(), "--graph") {
		return usagef("%w: tags are facts of the journal; sync and run bring them into every graph", err)
	}
	return usagef("%w\nsee %s --help", err, cmd.CommandPath())
}

func (a *app) untagCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "untag SESSION TAG...",
		Short:             "Take tags off a session",
		Example:           `  ag-sessiond untag latest flaky`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.oneSession,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.setTags(cmd.Context(), args[0], args[1:], "removed")
		},
	}
	cmd.SetFlagErrorFunc(tagFlagError)
	return cmd
}

// setTags appends one tag event to the session's journal and folds it.
func (a *app) setTags(ctx context.Context, arg string, tags []string, status string) error {
	for i, t := range tags {
		tags[i] = strings.TrimSpace(t)
		if tags[i] == "" || render.OneLine(t) != tags[i] || len(t) > 128 {
			return usagef("tag %q: want one line of at most 128 bytes without control characters", t)
		}
	}
	var s graph.SessionRow
	err := a.readSession(ctx, arg, func(_ context.Context, _ connector.Reader, row graph.SessionRow) error {
		s = row
		return nil
	})
	if err != nil {
		return err
	}
	j, err := a.journal()
	if err != nil {
		return err
	}
	a.resumeForgetting(j)
	if j.Forgotten(s.SessionID) { // and a store has not dropped it yet
		return &actiongraph.ForgottenError{Sessions: []string{s.SessionID}, Events: 1}
	}
	if _, err := j.Stat(s.SessionID); err != nil {
		return errcode.With(errcode.SessionElsewhere, fmt.Errorf("session %s is not in this journal, tags go where its events are: %w", s.SessionID, err))
	}
	now := a.now().UTC()
	e := schema.Event{
		V: schema.Version, EventType: schema.Tag, SessionID: s.SessionID, Timestamp: now, SourceSDK: "actiongraph",
		Origin: schema.OriginAPI, Actor: schema.ActorUser, Tags: tags, Status: status,
	}
	e.EventID = schema.EventID(e.Origin, "tag", append([]string{s.SessionID, schema.FormatTime(now), status}, tags...)...)
	if err := e.Validate(); err != nil {
		return err
	}
	if err := j.Append(j.Redactor("").Event(e)); err != nil {
		return unavailable(err)
	}
	a.patience = tagPatience
	return a.read(ctx, func(ctx context.Context, r connector.Reader) error {
		rows, err := r.Sessions(ctx, graph.SessionFilter{IDPrefix: s.SessionID, Limit: 50})
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(rows, func(r graph.SessionRow) bool { return r.SessionID == s.SessionID }); i >= 0 {
			s = rows[i]
		}
		if a.json {
			return a.printJSON(map[string]any{"session_id": s.SessionID, "tags": list(s.Tags)})
		}
		a.printf("session %s has the tags: %s\n", s.SessionID, render.OneLine(strings.Join(s.Tags, ", ")))
		return nil
	})
}

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/eventstore/record"
	"github.com/actiongraph/actiongraph/schema"
)

// Find returns the id of the session that a person means: an id, as its agent wrote it, too, a
// unique prefix of one, or "latest", the one with the latest event. The error of one that is not
// there wraps fs.ErrNotExist.
func Find(ctx context.Context, store Store, name string) (string, error) {
	if id := schema.SafeID(name); name != "" {
		if ok, err := has(ctx, store, id); ok || err != nil {
			return id, err
		}
	}
	sessions, err := store.Sessions(ctx)
	if err != nil {
		return "", err
	}
	var found []Session
	for _, s := range sessions {
		switch {
		case name == "latest":
			if len(found) == 0 || s.Last.After(found[0].Last) {
				found = []Session{s}
			}
		case name != "" && strings.HasPrefix(s.ID, name):
			found = append(found, s)
		}
	}
	switch len(found) {
	case 0:
		return "", errcode.With(errcode.SessionNotFound, record.NotThere(fmt.Sprintf("no session %q among %d", name, len(sessions))))
	case 1:
		return found[0].ID, nil
	}
	return "", errcode.With(errcode.SessionAmbiguous, fmt.Errorf("%q is the beginning of %d session ids, %s and %s for example: give more of it", name, len(found), found[0].ID, found[1].ID))
}

func has(ctx context.Context, store Store, id string) (bool, error) {
	stop := errors.New("there is a line")
	err := store.Lines(ctx, id, func([]byte) error { return stop })
	switch {
	case err == nil, errors.Is(err, stop), errors.Is(err, ErrCorrupted):
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

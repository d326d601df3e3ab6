package schema

import (
	"errors"
	"fmt"
)

// ErrNewer is of a line that only a newer version of this program understands. To pass over
// it would lose it for good.
var ErrNewer = errors.New("written by a newer version: update ag-sessiond")

// Record returns the event that a line of a session's file is. Every reader of a journal
// asks it, so that a line is an event for all of them or for none. Its error wraps ErrNewer
// where a newer version wrote the line; the event has then what this one knows of it.
func (d *Decoder) Record(line []byte, session string) (Event, error) {
	e, err := d.Decode(line)
	switch {
	case e.V > Version: // whatever else may be unknown about it
		return e, fmt.Errorf("version %d of the event protocol, this program knows %d: %w", e.V, Version, ErrNewer)
	case err != nil:
		return e, err
	case e.EventID == "" || e.EventType == "" || e.Timestamp.IsZero():
		return e, invalidf("an event has event_id, event_type and timestamp")
	case e.SessionID != session:
		return e, invalidf("an event of session %q in the file of another", e.SessionID)
	}
	return e, nil
}

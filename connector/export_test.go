package connector

import "time"

// OnSync puts f in the place of Journal.Sync.
func (r *Replica) OnSync(f func(session string) error) { r.syncFile = f }

// SetQuiet sets how long nothing has to arrive before the store is maintained.
func (r *Replica) SetQuiet(d time.Duration) { r.quiet = d }

package connector

// OnSync puts f in the place of Journal.Sync.
func (r *Replica) OnSync(f func(session string) error) { r.syncFile = f }

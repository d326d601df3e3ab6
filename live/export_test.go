package live

import "context"

// Begin readies a Watcher for Look, which Run does for itself.
func (w *Watcher) Begin() { w.sessions = map[string]*session{} }

// Look is what Run does when a session's file changed.
func (w *Watcher) Look(ctx context.Context, id string) []Change { return w.look(ctx, id) }

// MayRun is asked before a session is folded.
func (w *Watcher) MayRun(id string) bool { return w.mayRun(id) }

// Actions is how many actions of a session are held.
func (w *Watcher) Actions(id string) int { return len(w.sessions[id].actions) }

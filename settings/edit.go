package settings

import (
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/tailscale/hujson"
)

// Recorder is what an installation registers.
type Recorder struct {
	Binary string   // the absolute path of ag-hook
	Args   []string // what it is called with
	Events []string // the hook events
}

// Install returns the text of a settings file with the recorder registered for each of its
// events, once: entries of ours that differ are mended, those that are too many go. An empty
// text is a file that is not there. The result is text itself where nothing is to be done.
// An error names line and column. Entries that are Wrapped stay as they are, and count.
func Install(text []byte, r Recorder) ([]byte, error) {
	for _, s := range append([]string{r.Binary}, r.Args...) {
		if !utf8.ValidString(s) {
			return nil, errors.New("the name of the program or of the home is not UTF-8: JSON cannot hold it")
		}
	}
	if len(r.Events) == 0 {
		return nil, errors.New("there is no event to register")
	}
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	e := editor{document: d, Recorder: r, style: d.style(), origin: fresh}
	if err := e.install(); err != nil {
		return nil, err
	}
	if !e.changed {
		return text, nil
	}
	return e.pack(), nil
}

// editor changes a document.
type editor struct {
	*document
	Recorder
	style
	origin  origin // of what is made from now on
	changed bool
}

func (e *editor) pack() []byte { return append([]byte(e.bom), e.root.Pack()...) }

func (e *editor) install() error {
	root := e.root.Value.(*hujson.Object)
	outer := e.inside(root, layout{})
	found := member(&e.root, "hooks")
	switch {
	case found != nil && found.Value.Kind() != '{':
		return e.errorAt(found.StartOffset, `"hooks" is no object`)
	case found == nil:
		if blank(e.text) {
			e.root.AfterExtra = oneMore(e.text, "\n")
		} else if len(root.Members) == 0 {
			e.origin = emptyRoot
		}
		found = e.addMember(root, layout{}, "hooks", &hujson.Object{})
	case len(found.Value.(*hujson.Object).Members) == 0:
		e.origin = emptyHooks
	}
	hooks := found.Value.(*hujson.Object)
	for _, event := range e.Events {
		if err := e.register(hooks, outer, event); err != nil {
			return err
		}
	}
	taken := takeOut(hooks, func(event string) bool { return slices.Contains(e.Events, event) })
	e.changed = e.changed || taken.n > 0
	return nil
}

// register makes an event call the recorder, once.
func (e *editor) register(hooks *hujson.Object, outer layout, event string) error {
	inner := e.inside(hooks, outer)
	i := lastMember(hooks, event)
	if i < 0 {
		groups := e.addMember(hooks, outer, event, &hujson.Array{})
		e.addGroup(groups.Value.(*hujson.Array), inner, event, e.origin)
		return nil
	}
	groups, ok := hooks.Members[i].Value.Value.(*hujson.Array)
	if !ok {
		return e.errorAt(hooks.Members[i].Value.StartOffset, `the hooks of "`+event+`" are no list`)
	}
	if e.mendGroups(groups, event) || holds(groups, Entry.Wrapped) {
		return nil
	}
	was := fresh
	if len(groups.Elements) == 0 {
		was = emptyGroups
	}
	e.addGroup(groups, inner, event, was)
	return nil
}

// mendGroups makes the recorder's entries of an event what they should be: one, for every
// tool. It reports whether there is one. One that is limited becomes it where its group has
// ours alone; else all of them go, for a group of the recorder's own to take their place.
func (e *editor) mendGroups(groups *hujson.Array, event string) bool {
	if !slices.ContainsFunc(groups.Elements, func(g hujson.Value) bool { return everyTool(event, &g) && ours(&g) > 0 }) {
		e.widen(groups)
	}
	one := false
	taken := takeOutOfGroups(groups, func(group, h *hujson.Value) bool {
		if one || !everyTool(event, group) {
			return true
		}
		one = true
		e.mend(h)
		return false
	})
	e.changed = e.changed || taken.n > 0
	return one
}

// widen takes the matcher off the first group that has entries of ours and no others.
func (e *editor) widen(groups *hujson.Array) {
	for i := range groups.Elements {
		if g := &groups.Elements[i]; ours(g) > 0 && ours(g) == len(elements(member(g, "hooks"))) {
			object := g.Value.(*hujson.Object)
			object.Members = keepMembers(object, func(m *hujson.ObjectMember) bool { return key(*m) != "matcher" })
			e.changed = true
			return
		}
	}
}

// clean reports whether an entry is ours to edit.
func clean(e Entry) bool { return e.Ours() && !e.Wrapped() }

// mend sets what a handler runs. Everything else of it is its user's.
func (e *editor) mend(h *hujson.Value) {
	is := entry(h)
	object := h.Value.(*hujson.Object)
	// "if" would keep events from the recorder. A hook that is async is killed at the end of
	// "claude -p", and before that comes in any order (facts: agent-hooks-observed.md).
	before := len(object.Members)
	object.Members = keepMembers(object, func(m *hujson.ObjectMember) bool {
		return key(*m) != "if" && (key(*m) != "async" || !is.Async)
	})
	e.changed = e.changed || len(object.Members) < before
	if is.Exec && is.Command == e.Binary && slices.Equal(is.Args, e.Args) {
		return
	}
	e.changed = true
	i := lastMember(object, "command")
	object.Members[i].Value.Value = hujson.String(e.Binary)
	in := e.inside(object, layout{})
	j := lastMember(object, "args")
	switch {
	case j < 0:
		e.addMember(object, layout{}, "args", e.args(in))
	case !is.Exec || !slices.Equal(is.Args, e.Args):
		last, n := lastBefore(object.Members[j].Value.Value)
		in.inline = in.inline || n > 0 && !multiline(last)
		object.Members[j].Value.Value = e.args(in)
	}
}

// Uninstall returns the text without our entries, and without what only they needed. It
// is the inverse of Install: what that made of a text without entries of ours becomes that
// text again. The result is text itself where there are none, and nothing but white space
// where there was no more.
func Uninstall(text []byte) ([]byte, error) {
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	root := d.root.Value.(*hujson.Object)
	end := closing(root)
	var taken removal
	root.Members = keepMembers(root, func(m *hujson.ObjectMember) bool {
		hooks, ok := m.Value.Value.(*hujson.Object)
		if !ok || key(*m) != "hooks" {
			return true
		}
		hooksEnd := closing(hooks)
		out := takeOut(hooks, func(string) bool { return false })
		taken.add(out)
		switch {
		case out.n == 0 || len(hooks.Members) > 0:
			return true
		case out.origin == emptyHooks:
			hooks.AfterExtra = oneLess(hooks.AfterExtra, hooksEnd)
			return true
		}
		hooks.AfterExtra = nil
		return !only(root, "hooks") // without it an earlier one would come to life
	})
	switch {
	case taken.n == 0:
		return text, nil
	case len(root.Members) > 0:
	case taken.origin == emptyRoot:
		root.AfterExtra = oneLess(root.AfterExtra, end)
	default:
		return append([]byte(d.bom), oneLess(d.root.AfterExtra, "\n")...), nil
	}
	return append([]byte(d.bom), d.root.Pack()...), nil
}

// removal is what was taken out.
type removal struct {
	n      int    // handlers
	origin origin // of those that say more than fresh, else that
}

func (r *removal) add(o removal) {
	if r.n == 0 || r.origin == fresh {
		r.origin = o.origin
	}
	if r.n += o.n; r.n == 0 {
		r.origin = fresh
	}
}

// takeOut takes our handlers out of an object of events, those of the events to keep
// aside, and what is empty without them.
func takeOut(hooks *hujson.Object, keep func(event string) bool) removal {
	taken := removal{origin: fresh}
	hooks.Members = keepMembers(hooks, func(m *hujson.ObjectMember) bool {
		groups, ok := m.Value.Value.(*hujson.Array)
		if !ok || keep(key(*m)) {
			return true
		}
		end := closing(groups)
		out := takeOutOfGroups(groups, func(_, _ *hujson.Value) bool { return true })
		taken.add(out)
		switch {
		case out.n == 0 || len(groups.Elements) > 0:
			return true
		case out.origin == emptyGroups:
			groups.AfterExtra = oneLess(groups.AfterExtra, end)
			return true
		}
		groups.AfterExtra = nil
		return !only(hooks, key(*m))
	})
	return taken
}

// takeOutOfGroups takes the handlers of ours that drop says out of a list of groups, and
// the groups that they leave empty.
func takeOutOfGroups(groups *hujson.Array, drop func(group, h *hujson.Value) bool) removal {
	taken := removal{origin: fresh}
	groups.Elements = keepElements(groups, func(group *hujson.Value) bool {
		v := member(group, "hooks")
		if v == nil || v.Value.Kind() != '[' {
			return true
		}
		list := v.Value.(*hujson.Array)
		before := taken.n
		list.Elements = keepElements(list, func(h *hujson.Value) bool {
			if h.Value.Kind() != '{' || !clean(entry(h)) || !drop(group, h) {
				return true
			}
			taken.add(removal{n: 1, origin: originOf(h)})
			return false
		})
		return taken.n == before || len(list.Elements) > 0
	})
	return taken
}

// everyTool reports whether a group is for all there is of its event.
func everyTool(event string, group *hujson.Value) bool {
	return Entry{Event: event, Matcher: str(member(group, "matcher"))}.Every()
}

// ours is how many handlers of a group are ours to edit.
func ours(group *hujson.Value) (n int) {
	for _, h := range elements(member(group, "hooks")) {
		if h.Value.Kind() == '{' && clean(entry(&h)) {
			n++
		}
	}
	return n
}

// holds reports whether any handler of the groups is what is says.
func holds(groups *hujson.Array, is func(Entry) bool) bool {
	for i := range groups.Elements {
		for _, h := range elements(member(&groups.Elements[i], "hooks")) {
			if h.Value.Kind() == '{' && is(entry(&h)) {
				return true
			}
		}
	}
	return false
}

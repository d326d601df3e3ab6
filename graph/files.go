package graph

import (
	"slices"

	"github.com/actiongraph/actiongraph/schema"
)

// fileUse is the files that a call names, until the call is known to have touched them.
type fileUse struct {
	edge  EdgeType
	files []*file
}

type file struct{ key, host, path, repo string }

// useFiles notes the files that a call reads or writes.
func (s *Session) useFiles(i int32, f *fact) {
	edge, paths := filesOf(f.Event)
	u := &fileUse{edge: edge}
	for _, path := range paths {
		x := file{key: FileKey(f.Host, path), host: f.Host}
		x.path, _ = schema.CutString(path, maxPath)
		x.repo, _ = schema.CutString(repoPath(f.Event, path), maxPath)
		u.files = append(u.files, s.file(x))
	}
	old := s.files[i]
	if old == nil && len(u.files) == 0 {
		return
	}
	if old != nil && (old.edge != u.edge || !slices.Equal(old.files, u.files)) {
		s.unlinkFiles(i, old)
	}
	if was, repo := old.repo(), u.repo(); was != repo {
		var v any
		if repo != "" {
			v = repo
		}
		s.put(i, Prop{"repo_path", v})
	}
	if len(u.files) == 0 {
		delete(s.files, i)
		return
	}
	s.files[i] = u
	s.linkFiles(i)
}

// file returns the one copy of x: a session uses few files often.
func (s *Session) file(x file) *file {
	f := s.fileOf[x]
	if f == nil {
		f = &file{}
		*f, s.fileOf[x] = x, f
	}
	return f
}

// repo is the path within the repository of the file that a call is about: the first.
func (u *fileUse) repo() string {
	if u == nil || len(u.files) == 0 {
		return ""
	}
	return u.files[0].repo
}

// linkFiles puts the READ or WROTE edges once the call has completed: a denied Write
// wrote nothing.
func (s *Session) linkFiles(i int32) {
	u := s.files[i]
	if u == nil {
		return
	}
	done := statuses[s.actions.at(i).status] == schema.StatusCompleted
	if done == s.callOf(i).file {
		return
	}
	if !done {
		s.unlinkFiles(i, u)
		return
	}
	s.callOf(i).file = true
	for _, x := range u.files {
		ref := Ref{LabelFile, x.key}
		props := []Prop{{"host", x.host}, {"path", x.path}, {"name", baseName(x.path)}}
		if x.repo != "" {
			props = append(props, Prop{"repo_path", x.repo})
		}
		s.putRef(ref, props...)
		s.putEdge(u.edge, s.handle(i), s.named(ref))
	}
}

func (s *Session) unlinkFiles(i int32, u *fileUse) {
	if !s.callOf(i).file {
		return
	}
	s.callOf(i).file = false
	for _, x := range u.files {
		s.delEdge(u.edge, s.handle(i), s.named(Ref{LabelFile, x.key}))
	}
}

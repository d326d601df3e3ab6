package graph

import (
	"path"
	"slices"
	"strings"

	"github.com/actiongraph/actiongraph/schema"
)

// fileUse is the files that a call names, until the call is known to have touched them.
type fileUse struct {
	edge   EdgeType
	listed bool // by who ran it: they are linked whatever became of the call
	files  []*file
	more   int // that it names beyond maxFiles
}

// maxFiles is how many files of one call are linked: each is a node and an edge in every store,
// and one line may list a million. The call says how many are left out (files_omitted); the journal
// has them all.
const maxFiles = 10_000

type file struct{ key, host, path, repo string }

// useFiles notes the files that a call reads or writes.
func (s *Session) useFiles(i int32, f *fact) {
	edge, paths := filesOf(f.Event)
	u := &fileUse{edge: edge, listed: isSkill(f.Event), more: max(0, len(paths)-maxFiles)}
	for _, path := range paths[:len(paths)-u.more] {
		x := file{key: FileKey(f.Host, path), host: f.Host}
		x.path, _ = schema.CutString(path, maxPath)
		x.repo, _ = schema.CutString(repoPath(f.Event, path), maxPath)
		u.files = append(u.files, s.file(x))
	}
	old := s.files[i]
	if old == nil && len(u.files) == 0 {
		return
	}
	if old != nil && (old.edge != u.edge || old.listed != u.listed || !slices.Equal(old.files, u.files)) {
		s.unlinkFiles(i, old)
	}
	if was, repo := old.repo(), u.repo(); was != repo {
		var v any
		if repo != "" {
			v = repo
		}
		s.put(i, Prop{"repo_path", v})
	}
	if old == nil && u.more > 0 || old != nil && old.more != u.more {
		var v any
		if u.more > 0 {
			v = int64(u.more)
		}
		s.put(i, Prop{"files_omitted", v})
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
	done := u.listed || statuses[s.actions.at(i).status] == schema.StatusCompleted
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

// filesOf names the files that a call reads or writes, each once.
func filesOf(e *schema.Event) (edge EdgeType, paths []string) {
	switch e.ToolName {
	case "Read", "NotebookRead":
		edge = Read
	case "Write", "Edit", "MultiEdit", "NotebookEdit":
		edge = Wrote
	case "apply_patch":
		for line := range strings.Lines(patchText(e.ToolInput)) {
			if p := patchedFile(line); p != "" {
				paths = append(paths, wholePath(e, p))
			}
		}
		return Wrote, once(paths)
	default:
		if isSkill(e) {
			return Read, inventory(e)
		}
		return "", nil
	}
	for _, name := range []string{"file_path", "notebook_path"} {
		if p := schema.FieldString(e.ToolInput, name); p != "" {
			return edge, []string{wholePath(e, p)}
		}
	}
	return "", nil
}

// isSkill reports the call of a skill that lists the files it has.
func isSkill(e *schema.Event) bool {
	return e.ToolName == "Skill" && len(schema.Field(e.Extra, "inventory")) > 0
}

// inventory returns the files that a skill lists, relative ones below its name.
func inventory(e *schema.Event) (paths []string) {
	skill := schema.FieldString(e.ToolInput, "skill")
	for raw := range schema.Elements(schema.Field(e.Extra, "inventory")) {
		p := schema.Unquote(raw)
		switch {
		case p == "":
			continue
		case path.IsAbs(p):
			p = path.Clean(p)
		case !isWindowsPath(p) && !strings.HasPrefix(p, "~"):
			p = path.Join(skill, p)
		}
		paths = append(paths, p)
	}
	return once(paths)
}

// once returns paths in their order, each once.
func once(paths []string) []string {
	if len(paths) < 2 {
		return paths
	}
	seen := make(map[string]struct{}, len(paths))
	return slices.DeleteFunc(paths, func(p string) bool {
		_, again := seen[p]
		seen[p] = struct{}{}
		return again
	})
}

// wholePath gives a file's path as one file has it however it is called: from the root,
// without . and .. — as far as the fact tells, and not of Windows, whose rules are others.
func wholePath(e *schema.Event, p string) string {
	switch dir := e.WorkingDirectory; {
	case isWindowsPath(p), strings.HasPrefix(p, "~"):
		return p
	case path.IsAbs(p), dir == "":
		return path.Clean(p)
	case isWindowsPath(dir):
		return p
	default:
		return path.Join(dir, p)
	}
}

// isWindowsPath reports a path with a backslash or a drive's letter.
func isWindowsPath(p string) bool {
	return strings.Contains(p, `\`) || len(p) > 1 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
}

// patchText is the patch that apply_patch is given: runtimes name the member differently.
func patchText(input []byte) string {
	for _, name := range []string{"command", "input", "patch"} {
		if p := schema.FieldString(input, name); p != "" {
			return p
		}
	}
	return schema.Unquote(input)
}

// patchedFile is the file that a line of a patch begins, or moves to.
func patchedFile(line string) string {
	for _, head := range []string{"*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: "} {
		if p, ok := strings.CutPrefix(line, head); ok {
			return strings.TrimSpace(p)
		}
	}
	return ""
}

// repoPath gives p relative to the working tree that the recorder saw it in.
func repoPath(e *schema.Event, p string) string {
	root := schema.FieldString(e.Metadata, schema.MetaRepoRoot)
	if root == "" {
		return ""
	}
	rel, ok := strings.CutPrefix(path.Clean(p), strings.TrimSuffix(root, "/")+"/")
	if !ok {
		return ""
	}
	return rel
}

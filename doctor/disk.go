package doctor

import (
	"context"

	"github.com/actiongraph/actiongraph/internal/render"
)

// The free space, in bytes, below which a person is warned, and below which the disk may
// be full with the next session.
const (
	littleSpace = 1 << 30
	noSpace     = 100 << 20
)

// space is what is left of a file system.
type space struct {
	bytes  uint64
	inodes uint64 // 0 where the file system counts none
	counts bool   // it has a number of inodes
}

func disk(_ context.Context, e *exam) []Check {
	dir := existing(e.Home)
	left, err := freeSpace(dir)
	if err != nil {
		return warn("see that the disk answers", "the free space at %s is not known: %v", dir, err)
	}
	return left.judge(dir)
}

// FreeBytes is what is free on the disk of a folder, for who may not write as root.
func FreeBytes(dir string) (uint64, error) {
	s, err := freeSpace(existing(dir))
	return s.bytes, err
}

func (s space) judge(dir string) []Check {
	cure := "free some space on the disk that holds " + dir
	switch {
	case s.counts && s.inodes == 0:
		return fail("remove files from the disk that holds "+dir, "no file can be made at %s: no inode is free", dir)
	case s.bytes < noSpace:
		return fail(cure, "%s free at %s: events are lost once it is full", render.Bytes(int64(s.bytes)), dir)
	case s.bytes < littleSpace:
		return warn(cure, "%s free at %s", render.Bytes(int64(s.bytes)), dir)
	}
	return ok("%s free at %s", render.Bytes(int64(s.bytes)), dir)
}

// fsKind is what a file system is good for.
type fsKind int

const (
	local   fsKind = iota
	remote         // others write it, too: locks and appends are not what they are on a disk
	passing        // it is gone with the machine or the container that has it
)

// filesystem looks at what the home is on.
func filesystem(_ context.Context, e *exam) []Check {
	dir := existing(e.Home)
	name, kind := fsOf(dir)
	return judgeFS(dir, name, kind)
}

func judgeFS(dir, name string, kind fsKind) []Check {
	switch {
	case kind == remote:
		return warn("set AG_HOME to a folder on a local disk, and run ag-sessiond install again",
			"%s is on %s, whose locks and appends are not those of a local disk", dir, name)
	case kind == passing:
		return warn("set AG_HOME to a folder that stays, as a volume, and run ag-sessiond install again",
			"%s is on %s: what is recorded is gone with the container, or with the next start", dir, name)
	case name == "":
		return ok("nothing says that it is no local disk")
	}
	return ok("%s", name)
}

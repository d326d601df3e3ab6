// Package intake is what those have in common who read other programs' files into the
// journal, package transcript and package source: the files below a folder, what could not be
// read, and how a follower is.
package intake

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/actiongraph/actiongraph/errcode"
)

// ErrPartial says that some files or lines could not be read; the report names them.
var ErrPartial = errcode.New(errcode.Partial, "not everything could be read")

// Problem is what could not be read: a file or folder, or one line of a file.
type Problem struct {
	Path  string `json:"path"`
	Line  int64  `json:"line,omitempty"`
	Error string `json:"error"` // of a line, with the column and field where they are known
}

// NewProblem says what is wrong with a path.
func NewProblem(path string, err error) Problem {
	var system *fs.PathError
	if errors.As(err, &system) {
		err = system.Err // the path is in the problem
	}
	return Problem{Path: path, Error: err.Error()}
}

func (p Problem) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Error)
	}
	return p.Path + ": " + p.Error
}

// Partial sums up what could not be read: the problems of no file in particular, and those of
// each file. It is nil where there are none.
func Partial(failed int, broken int64, other []Problem, files ...[]Problem) error {
	all := slices.Concat(append([][]Problem{other}, files...)...)
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d files failed, %d lines are broken, %d other problems; the first: %s",
		ErrPartial, failed, broken, len(other), all[0])
}

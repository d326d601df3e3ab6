package main

import (
	"errors"
	"fmt"
)

// The exit codes of every verb.
const (
	exitDone        = 0
	exitFailed      = 1 // failed, or done in part
	exitUsage       = 2 // the command line asks for what there is not
	exitDiffers     = 3 // verify, replay: the store is not what the journal says; diff: the sessions are not the same; secrets scan: there are some
	exitUnavailable = 4 // the home or store cannot be used now
)

// exitError carries the exit code that an error asks for. silent says that it was
// told already.
type exitError struct {
	code   int
	err    error
	silent bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: exitUnavailable, err: err}
}

// exitCode is the code that err asks for: exitFailed where it says none.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &e):
		return e.code
	}
	return exitFailed
}

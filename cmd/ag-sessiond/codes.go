package main

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"syscall"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/schema"
)

// codeOf is the code of an error that a person is to see. Where its makers gave it none, it is
// told by what it wraps, from what says most to what says least.
func codeOf(err error) errcode.Code {
	if code := errcode.Of(err); code != "" {
		return code
	}
	var forgotten *actiongraph.ForgottenError
	var path *fs.PathError
	var program *exec.Error
	for _, known := range []struct {
		is   bool
		code errcode.Code
	}{
		{errors.Is(err, context.Canceled), errcode.Interrupted},
		{exitCode(err) == exitUsage, errcode.Usage},
		{errors.As(err, &forgotten), errcode.SessionForgotten},
		{errors.Is(err, schema.ErrNewer), errcode.EventNewer},
		{errors.Is(err, schema.ErrInvalid), errcode.EventInvalid},
		{errors.Is(err, syscall.ENOSPC), errcode.DiskFull},
		{errors.Is(err, fs.ErrPermission), errcode.FilePermission},
		{errors.Is(err, syscall.EROFS), errcode.FilePermission},
		{errors.Is(err, fs.ErrNotExist), errcode.FileMissing},
		{errors.As(err, &path), errcode.FileUnusable},
		{errors.As(err, &program), errcode.FileMissing},
		{exitCode(err) == exitUnavailable, errcode.HomeUnavailable},
	} {
		if known.is {
			return known.code
		}
	}
	return errcode.Internal
}

//go:build !unix || darwin

package main

import "os/user"

// userName returns the name of the user that runs this, or "". These systems have
// no file to read it from.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

//go:build unix && !darwin

package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// userName returns the name of the user that runs this, from /etc/passwd, else the
// number. Not $USER: no environment value is ever recorded. Not os/user: with cgo it
// asks a name service, which may be across a network.
func userName() string {
	uid := strconv.Itoa(os.Getuid())
	f, err := os.Open("/etc/passwd")
	if err != nil {
		return uid
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		// name:password:uid:…
		if fields := strings.SplitN(s.Text(), ":", 4); len(fields) == 4 && fields[2] == uid {
			return fields[0]
		}
	}
	return uid
}

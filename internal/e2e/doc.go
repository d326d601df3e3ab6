// Package e2e holds tests of both binaries together, on real recordings.
package e2e

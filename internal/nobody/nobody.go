// Package nobody lets tests of what may not be read run as root, too.
package nobody

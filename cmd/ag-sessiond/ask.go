package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// asker asks a person, where there is one.
type asker struct {
	*app
	in io.Reader
}

// person reports whether somebody is there to answer.
func (q asker) person() bool {
	f, ok := q.in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && !q.json
}

// agrees asks a question; a line that is empty is yes.
func (q asker) agrees(question string) (bool, error) {
	q.printf("%s [Y/n] ", question)
	if err := q.out.Flush(); err != nil {
		return false, err
	}
	line, err := readLine(q.in)
	if err != nil && line == "" {
		q.printf("\n")
		return false, nil // the end of the input agrees to nothing
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "" || answer == "y" || answer == "yes", nil
}

// dares asks a question about what cannot be taken back; a line that is empty is no.
func (q asker) dares(question string) (bool, error) {
	q.printf("%s [y/N] ", question)
	if err := q.out.Flush(); err != nil {
		return false, err
	}
	line, err := readLine(q.in)
	if err != nil && line == "" {
		q.printf("\n")
		return false, nil
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// readLine reads no more than a line: the next question has its own.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		n, err := r.Read(b)
		if n > 0 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return string(line), err
		}
	}
}

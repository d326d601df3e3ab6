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
func (q asker) agrees(question string) (bool, error) { return q.ask(question+" [Y/n] ", true) }

// dares asks a question about what cannot be taken back; a line that is empty is no.
func (q asker) dares(question string) (bool, error) { return q.ask(question+" [y/N] ", false) }

// ask returns whether the answer is yes. The end of the input agrees to nothing.
func (q asker) ask(question string, empty bool) (bool, error) {
	q.printf("%s", question)
	if err := q.out.Flush(); err != nil {
		return false, err
	}
	line, err := readLine(q.in)
	if err != nil && line == "" {
		q.printf("\n")
		return false, nil
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes" || answer == "" && empty, nil
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

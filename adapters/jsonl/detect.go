package jsonl

// Detect says what a line is by what is in it; ok is false where nobody can tell.
func Detect(line []byte) (f Format, ok bool) { return "", false }

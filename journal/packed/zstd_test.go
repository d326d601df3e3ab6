package packed_test

import (
	"bytes"
	"os"
	"testing"

	seekable "github.com/SaveTheRbtz/zstd-seekable-format-go/pkg"
	zst "github.com/klauspost/compress/zstd"
)

// unzstd is what a program has that knows only zstd.
func unzstd(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zst.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	text, err := dec.DecodeAll(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// zstd packs a text, in frames of 100 bytes.
func zstd(t testing.TB, text string) string {
	t.Helper()
	enc, err := zst.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	var b bytes.Buffer
	w, err := seekable.NewWriter(&b, enc)
	if err != nil {
		t.Fatal(err)
	}
	for len(text) > 0 {
		n, err := w.Write([]byte(text[:min(100, len(text))]))
		if err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

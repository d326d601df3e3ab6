package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestArchivesAreReproducible(t *testing.T) {
	at := time.Date(2026, 3, 1, 14, 0, 1, 0, time.UTC)
	var before [2][]byte
	for i := range 2 {
		dir := t.TempDir()
		var files []file
		for _, f := range []file{{name: "ag-hook", mode: 0o755}, {name: "LICENSE", mode: 0o644}} {
			f.path = filepath.Join(dir, f.name)
			if err := os.WriteFile(f.path, bytes.Repeat([]byte(f.name), 1000), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(f.path, at, at.Add(time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		for j, pack := range []func(string, []file, time.Time) ([]byte, error){tarGz, zipped} {
			archive, err := pack("v1", files, at)
			if err != nil {
				t.Fatal(err)
			}
			if i == 1 && !bytes.Equal(archive, before[j]) {
				t.Errorf("archive %d differs the second time", j)
			}
			before[j] = archive
		}
	}
	want := []string{"v1/ag-hook -rwxr-xr-x 7000", "v1/LICENSE -rw-r--r-- 7000"}
	if got := inTar(t, before[0]); !slices.Equal(got, want) {
		t.Errorf("the tar has %q", got)
	}
	if got := inZip(t, before[1]); !slices.Equal(got, want) {
		t.Errorf("the zip has %q", got)
	}
}

func inTar(t *testing.T, archive []byte) (all []string) {
	t.Helper()
	unpacked, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(unpacked); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if err != nil || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%+v: %v", h, err)
		}
		all = append(all, fmt.Sprintf("%s %v %d", h.Name, h.FileInfo().Mode(), n))
	}
}

func inZip(t *testing.T, archive []byte) (all []string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		all = append(all, fmt.Sprintf("%s %v %d", f.Name, f.Mode(), f.UncompressedSize64))
	}
	return all
}

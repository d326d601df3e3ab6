package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/actiongraph/actiongraph/schema"
)

// TestLivePipe: what came of a pipe that stands still is in the journal, with the time when
// it came; and who waits for the rest can be stopped.
func TestLivePipe(t *testing.T) {
	r := newReader(t, filepath.Join(realDir(t), "home"))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	in, out := io.Pipe()
	type ended struct {
		report Report
		err    error
	}
	end := make(chan ended, 1)
	go func() {
		report, err := r.Import(ctx, []string{"-"}, in, Options{}, nil)
		end <- ended{report, err}
	}()
	await := func(want int) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); len(facts(t, r.Journal)) != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d facts, want %d", len(facts(t, r.Journal)), want)
			}
		}
	}
	fmt.Fprint(out, `{"tool_name":"a"}`+"\n")
	await(2)
	fmt.Fprint(out, `{"tool_na`)
	time.Sleep(3 * idleAfter)
	await(2)
	fmt.Fprint(out, `me":"b"}`+"\n"+`{"tool_name":"c"}`+"\n")
	await(6)
	fmt.Fprint(out, `{"torn`)
	time.Sleep(2 * idleAfter)
	stop()
	select {
	case e := <-end:
		if !errors.Is(e.err, context.Canceled) || e.report.Lines != 3 || e.report.Events != 6 || e.report.Broken != 0 {
			t.Errorf("%+v, %v", e.report, e.err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a pipe that stands still keeps the import from ending")
	}
	times := map[string]bool{}
	for line := range facts(t, r.Journal) {
		times[schema.FieldString([]byte(line), "timestamp")] = true
	}
	if len(times) != 2 {
		t.Errorf("what came at two times has %d", len(times))
	}
}

// TestLivePieces: however a pipe comes, and whether it pauses, it is what the file says.
func TestLivePieces(t *testing.T) {
	dir := realDir(t)
	var text string
	for i := range 200 {
		text += fmt.Sprintf(`{"tool_name":"t%d","created_at":"2026-03-01T10:00:00Z","content":"%0*d"}`+"\n", i, i*i%700, i)
	}
	plain := newReader(t, filepath.Join(dir, "plain"))
	clean(t, plain, Options{}, write(t, text, dir, "a.jsonl"))
	want := facts(t, plain.Journal)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"at once": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
		"with the end": iotest.DataErrReader,
		"pauses": func(r io.Reader) io.Reader {
			in, out := io.Pipe()
			go func() {
				all, _ := io.ReadAll(r)
				for len(all) > 0 {
					n := min(len(all), 1+rand.IntN(20_000))
					out.Write(all[:n])
					all = all[n:]
					if rand.IntN(4) == 0 {
						time.Sleep(idleAfter + 20*time.Millisecond)
					}
				}
				out.Close()
			}()
			return in
		},
	} {
		for _, in := range []string{text, packed(t, text)} {
			r := newReader(t, filepath.Join(dir, fmt.Sprintf("%s-%d", name, len(in))))
			report, err := r.Import(t.Context(), []string{"-"}, wrap(strings.NewReader(in)), Options{}, nil)
			if err != nil || report.Lines != 200 || report.Broken != 0 {
				t.Errorf("%s: %+v, %v", name, report, err)
			}
			lossless(t, want, facts(t, r.Journal))
		}
	}
}

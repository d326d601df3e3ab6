package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The input is what go 1.26 printed for a package with a passing, a skipping and a
// failing test, and for one that does not compile.
func TestReport(t *testing.T) {
	const stream = `{"Action":"start","Package":"x/p"}
{"Action":"run","Package":"x/p","Test":"TestPass"}
{"Action":"output","Package":"x/p","Test":"TestPass","Output":"=== RUN   TestPass\n"}
{"Action":"output","Package":"x/p","Test":"TestPass","Output":"    a_test.go:5: noise\n"}
{"Action":"output","Package":"x/p","Test":"TestPass","Output":"--- PASS: TestPass (0.00s)\n"}
{"Action":"pass","Package":"x/p","Test":"TestPass","Elapsed":0}
{"Action":"run","Package":"x/p","Test":"TestSkip"}
{"Action":"output","Package":"x/p","Test":"TestSkip","Output":"=== RUN   TestSkip\n"}
{"Action":"output","Package":"x/p","Test":"TestSkip","Output":"    a_test.go:6: no strace: not installed\n"}
{"Action":"output","Package":"x/p","Test":"TestSkip","Output":"--- SKIP: TestSkip (0.00s)\n"}
{"Action":"skip","Package":"x/p","Test":"TestSkip","Elapsed":0}
{"Action":"run","Package":"x/p","Test":"TestFail"}
{"Action":"output","Package":"x/p","Test":"TestFail","Output":"=== RUN   TestFail\n"}
{"Action":"output","Package":"x/p","Test":"TestFail","Output":"    a_test.go:7: wrong\n"}
{"Action":"output","Package":"x/p","Test":"TestFail","Output":"--- FAIL: TestFail (0.00s)\n"}
{"Action":"fail","Package":"x/p","Test":"TestFail","Elapsed":0}
{"Action":"output","Package":"x/p","Output":"FAIL\n"}
{"Action":"output","Package":"x/p","Output":"FAIL\tx/p\t0.002s\n"}
{"Action":"fail","Package":"x/p","Elapsed":0.002}
{"ImportPath":"x/q","Action":"build-output","Output":"q/b.go:3:9: undefined: y\n"}
{"Action":"run","Package":"x/r","Test":"TestPanic"}
{"Action":"output","Package":"x/r","Test":"TestPanic","Output":"panic: oh\n"}
{"Action":"output","Package":"x/r","Output":"FAIL\tx/r\t0.002s\n"}
{"Action":"fail","Package":"x/r","Elapsed":0.002}
{"Action":"output","Package":"x/s","Output":"PASS\n"}
{"Action":"output","Package":"x/s","Output":"ok  \tx/s\t(cached)\n"}
{"Action":"pass","Package":"x/s","Elapsed":0.002}
go: something that is no event
`
	const want = `SKIP: x/p.TestSkip (no strace: not installed)
    a_test.go:7: wrong
--- FAIL: TestFail (0.00s)
FAIL
FAIL	x/p	0.002s
q/b.go:3:9: undefined: y
FAIL	x/r	0.002s
panic: oh
ok  	x/s	(cached)
go: something that is no event
`
	var out strings.Builder
	run := tests{out: &out}
	if err := run.report(strings.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if run.skipped != 1 {
		t.Errorf("%d skips counted, want 1", run.skipped)
	}
}

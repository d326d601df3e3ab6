package service

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens anew")

// The files that are written on each system, byte for byte: a plain installation, and one
// whose paths have all that these formats take for something else.
func TestGoldens(t *testing.T) {
	daemons := map[string]map[string]Daemon{
		"linux": {
			"plain": {Binary: "/usr/local/bin/ag-sessiond", Home: "/home/dev/.actiongraph"},
			"odd":   {Binary: `/opt/a b/100%/$HOME/ag-sessiond`, Home: `/srv/--ä $H "q"\n -->/<x>&'y'`, ClaudeDir: `/c/$D %h "x"`},
		},
		"darwin": {
			"plain": {Binary: "/usr/local/bin/ag-sessiond", Home: "/Users/dev/.actiongraph"},
			"odd":   {Binary: `/opt/a b/"q"/ag-sessiond`, Home: "/srv/--ä -->/<x>&'y'", ClaudeDir: "/c/<d>--"},
		},
		"windows": {
			"plain": {Binary: `C:\Users\dev\bin\ag-sessiond.exe`, Home: `C:\Users\dev\.actiongraph`},
			"odd":   {Binary: `C:\Program Files\a & b\ag-sessiond.exe`, Home: `D:\ä -- x`},
		},
	}
	for goos, of := range daemons {
		if runtime.GOOS == "windows" && goos != "windows" {
			continue // where paths have another separator
		}
		for name, d := range of {
			h := Host{GOOS: goos, UserHome: "/home/dev", ConfigHome: "/home/dev/.config", UserName: `PC\dev`, UID: 1000}
			if goos == "darwin" {
				h.UserHome, h.UID = "/Users/dev", 501
			}
			m, u, err := h.unit(d.Home)
			if err != nil {
				t.Fatal(err)
			}
			text := m.text(u, d)
			if goos == "windows" {
				text = strings.ReplaceAll(text, "/"+LogFile, `\`+LogFile)
			}
			golden := filepath.Join("testdata", goos+"-"+name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("%s is now:\n%s", golden, text)
			}
			path := filepath.Join(t.TempDir(), "unit")
			if err := write(path, text); err != nil {
				t.Fatal(err)
			}
			if got, back, err := read(path); err != nil || back != d || got != text {
				t.Errorf("%s is read as %+v, %v", golden, back, err)
			}
			if goos != "linux" {
				wellFormed(t, golden, text)
			}
		}
	}
}

// wellFormed wants XML that says the command line of its daemon.
func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the file is UTF-16, text is not
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// The words of ExecStart are taken apart as systemd.syntax(7) and systemd.service(5) say,
// and are the command line.
func TestSystemdQuoting(t *testing.T) {
	for _, word := range []string{"", "a", "a b", `a\b`, `a"b`, "a%h", "a$B", "${B}", "%%", `\\"`, "ä", "'x'", ";", "#"} {
		quoted := systemdQuote(word, true)
		var back string
		// Within double quotes the escapes of C count, which those of JSON are that are used here.
		if err := json.Unmarshal([]byte(quoted), &back); err != nil {
			t.Errorf("%q: %v", quoted, err)
		}
		if back = strings.NewReplacer("%%", "%", "$$", "$").Replace(back); back != word {
			t.Errorf("%q comes back as %q", word, back)
		}
	}
}

// systemd itself takes the units for right, where it is installed.
func TestSystemdAnalyze(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil || runtime.GOOS != "linux" {
		return // the goldens stand for it
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, `a b 100% $HOME`, "ag-sessiond")
	if err := os.MkdirAll(filepath.Dir(binary), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	verify := func(text string) string {
		path := filepath.Join(dir, "ag-sessiond.service")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "--user", "verify", "--man=no", path)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			out = []byte(err.Error())
		}
		// Of other units of this machine nothing is said here.
		var ours []string
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "ag-sessiond.service") {
				ours = append(ours, line)
			}
		}
		return strings.Join(ours, "")
	}
	h := Host{GOOS: "linux", UserHome: dir, ConfigHome: dir}
	_, text, err := h.Preview(Daemon{Binary: binary, Home: filepath.Join(dir, `a $B "q" \n %h`), ClaudeDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if said := verify(text); said != "" {
		t.Errorf("systemd-analyze says:\n%s\nof\n%s", said, text)
	}
	if said := verify(strings.Replace(text, "Restart=", "Restrat=", 1) + "\n[Service]\nExecStart=nowhere\n"); said == "" {
		t.Error("systemd-analyze finds nothing wrong with a wrong unit: this test tests nothing")
	}
}

func TestUTF16(t *testing.T) {
	text := utf16Head + "ä\U0001f600\n"
	b := encode(text)
	if !bytes.HasPrefix(b, []byte{0xff, 0xfe, '<', 0, '?', 0}) || decode(b) != text {
		t.Errorf("%q", b)
	}
	if decode([]byte("plain")) != "plain" || string(encode("plain")) != "plain" {
		t.Error("other text is changed")
	}
	decode([]byte{0xff, 0xfe, 'x'}) // half a character
}

func TestWindowsQuote(t *testing.T) {
	for arg, want := range map[string]string{
		`a`: `a`, ``: `""`, `a b`: `"a b"`, `C:\x\`: `C:\x\`, `C:\x y\`: `"C:\x y\\"`, `a"b`: `"a\"b"`, `a\"b`: `"a\\\"b"`, `a\b c`: `"a\b c"`,
	} {
		if got := windowsQuote(arg); got != want {
			t.Errorf("%s is %s, want %s", arg, got, want)
		}
	}
}

// A home has one service, by whichever path it is reached, and each home its own.
func TestNames(t *testing.T) {
	dir := real(t.TempDir())
	for _, name := range []string{".actiongraph", "other"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	h := Host{GOOS: "linux", UserHome: dir, ConfigHome: filepath.Join(dir, ".config")}
	name := func(home string) string {
		_, u, err := h.unit(home)
		if err != nil {
			t.Fatal(err)
		}
		return u.Name
	}
	if got := name(filepath.Join(dir, ".actiongraph")); got != "ag-sessiond.service" {
		t.Errorf("the default home's is %s", got)
	}
	other := name(filepath.Join(dir, "other"))
	if other == "ag-sessiond.service" || other == name(filepath.Join(dir, "third")) {
		t.Errorf("another home's is %s", other)
	}
	if err := os.Symlink("other", filepath.Join(dir, "link")); err == nil {
		if got := name(filepath.Join(dir, "link")); got != other {
			t.Errorf("by a link it is %s, not %s", got, other)
		}
	}
	if _, _, err := (Host{GOOS: "plan9"}).unit(dir); !errors.Is(err, ErrNoManager) {
		t.Errorf("plan9: %v", err)
	}
}

// What is not ours is named, and left.
func TestReadRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "other": "[Service]\nExecStart=/x\n", "broken": "# " + mark + "{broken", "none": "# " + mark + `{"binary":"/x"}`} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := read(path); err == nil || !strings.Contains(err.Error(), "was not written by") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := read(dir); err == nil {
		t.Error("a folder is taken for a unit")
	}
	if text, d, err := read(filepath.Join(dir, "missing")); text != "" || !reflect.DeepEqual(d, Daemon{}) || err != nil {
		t.Errorf("none: %q %v %v", text, d, err)
	}
}

func TestCheck(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home, m := t.TempDir(), systemd{}
	if err := check(m, Daemon{Binary: binary, Home: home}); err != nil {
		t.Error(err)
	}
	quoted := filepath.Join(home, "it's") // systemd-analyze verify: Executable name contains special characters
	if err := os.WriteFile(quoted, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, d := range []Daemon{
		{Binary: binary, Home: home + "\n[Service]\nExecStart=/bin/x"}, {Binary: binary, Home: home + "\xff"}, {Binary: binary, Home: "home"},
		{Binary: "ag-sessiond", Home: home}, {Binary: home, Home: home}, {Binary: filepath.Join(home, "no"), Home: home},
		{Binary: binary, Home: home, ClaudeDir: "a\x00b"}, {Binary: quoted, Home: home},
	} {
		if err := check(m, d); err == nil {
			t.Errorf("%+v is taken", d)
		}
	}
}

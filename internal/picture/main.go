// Command picture draws what a program prints to a terminal as SVG:
//
//	go run ./internal/picture ag-sessiond show latest > picture.svg
//
// The picture in the README is made with it (make picture), so that it shows what the program
// prints and not what somebody once drew.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"
)

func main() {
	text, err := run(os.Args[1:])
	if err == nil {
		err = draw(os.Stdout, "$ "+strings.Join(os.Args[1:], " ")+"\n"+text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// columns is how wide the terminal is in which a program runs.
const columns = 100

// run returns what a program prints to a terminal, whatever its exit code.
func run(args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("what is to be run?")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "TZ=UTC")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: columns})
	if err != nil {
		return "", err
	}
	defer terminal.Close()
	var out bytes.Buffer
	_, _ = io.Copy(&out, terminal) // on Linux the end is an error, too
	var exited *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exited) {
		return "", err
	}
	return out.String(), nil
}

// Sizes in the units of the picture.
const (
	fontSize   = 14.0
	columnWide = 8.43 // of a monospaced font of that size
	lineHigh   = 19.0
	margin     = 18.0
)

// sgr is the escape sequence that sets colours and weight; other is any else that a terminal
// takes, which shows nothing.
var (
	sgr   = regexp.MustCompile(`\x1b\[([0-9;]*)m`)
	other = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07]*\x07|\r`)
)

// draw writes the picture of what a terminal shows of text.
func draw(w io.Writer, text string) error {
	lines := strings.Split(strings.TrimRight(other.ReplaceAllString(text, ""), "\n"), "\n")
	widest := 0
	for _, line := range lines {
		widest = max(widest, width(sgr.ReplaceAllString(line, "")))
	}
	wide, high := float64(widest)*columnWide+2*margin, float64(len(lines))*lineHigh+2*margin
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%.0f" fill="#d8dee9">`+"\n", wide, high, fontSize)
	fmt.Fprintf(out, `<rect width="%.0f" height="%.0f" rx="8" fill="#1b1f27"/>`+"\n", wide, high)
	style := ""
	for i, line := range lines {
		style = drawLine(out, line, style, margin+float64(i)*lineHigh+fontSize)
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

// drawLine draws the spans of one line, beginning with a style, and returns that of its end.
func drawLine(out io.Writer, line, style string, y float64) string {
	column := 0
	span := func(text string) {
		if strings.TrimSpace(text) != "" {
			// textLength keeps columns apart where the reader's font is of another width.
			fmt.Fprintf(out, `<text x="%.2f" y="%.1f" textLength="%.2f" xml:space="preserve"%s>%s</text>`+"\n",
				margin+float64(column)*columnWide, y, float64(width(text))*columnWide, style, escape(text))
		}
		column += width(text)
	}
	at := 0
	for _, m := range sgr.FindAllStringSubmatchIndex(line, -1) {
		span(line[at:m[0]])
		style, at = styleOf(style, line[m[2]:m[3]]), m[1]
	}
	span(line[at:])
	return style
}

// styleOf returns the attributes of a span after a sequence of codes.
func styleOf(style, codes string) string {
	for code := range strings.SplitSeq(codes, ";") {
		switch code {
		case "", "0":
			style = ""
		case "1":
			style += ` font-weight="bold"`
		case "2":
			style += ` opacity="0.6"`
		case "3":
			style += ` font-style="italic"`
		default:
			if c, ok := colours()[code]; ok {
				style = regexp.MustCompile(` fill="[^"]*"`).ReplaceAllString(style, "") + ` fill="` + c + `"`
			}
		}
	}
	return style
}

// colours are those of the codes that set the colour of text, legible on the picture's ground.
func colours() map[string]string {
	out := map[string]string{}
	for i, c := range []string{"#4c566a", "#ff6b6b", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d8dee9"} {
		out[fmt.Sprint(30+i)], out[fmt.Sprint(90+i)] = c, c
	}
	out["90"] = "#7f8896"
	return out
}

func width(s string) int { return (&runewidth.Condition{StrictEmojiNeutral: true}).StringWidth(s) }

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

package secretstest

import (
	"fmt"
	"math/rand"
	"regexp/syntax"
	"slices"
	"strings"
)

// generator makes random strings that an expression matches.
type generator struct{ rnd *rand.Rand }

// captures returns the expression's outermost groups, which is where a rule of
// gitleaks has the secret, or nothing where it has no group.
func captures(re *syntax.Regexp) (list []*syntax.Regexp) {
	if re.Op == syntax.OpCapture {
		return []*syntax.Regexp{re}
	}
	for _, sub := range re.Sub {
		list = append(list, captures(sub)...)
	}
	return list
}

func (g *generator) string(re *syntax.Regexp) string {
	var b strings.Builder
	g.write(&b, re)
	return b.String()
}

func (g *generator) write(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 && g.rnd.Intn(2) == 0 {
				r = []rune(strings.ToLower(string(r)))[0]
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteByte(g.member(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(base64Alphabet[g.rnd.Intn(len(base64Alphabet))])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAnyCharNotNL { // a dot that nobody escaped: hooks.slack.com
				b.WriteByte('.')
				continue
			}
			g.write(b, sub)
		}
	case syntax.OpAlternate:
		g.write(b, re.Sub[g.rnd.Intn(len(re.Sub))])
	case syntax.OpQuest:
		g.repeat(b, re.Sub[0], 0, 1)
	case syntax.OpStar:
		g.repeat(b, re.Sub[0], 0, 3)
	case syntax.OpPlus:
		g.repeat(b, re.Sub[0], 6, 16) // a vendor's token is no shorter
	case syntax.OpRepeat:
		most := re.Max
		if most < 0 || most > re.Min+40 {
			most = re.Min + 40
		}
		g.repeat(b, re.Sub[0], re.Min, most)
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
	default:
		panic(fmt.Sprintf("no generator for %v in %v", re.Op, re))
	}
}

func (g *generator) repeat(b *strings.Builder, re *syntax.Regexp, least, most int) {
	for n := least + g.rnd.Intn(most-least+1); n > 0; n-- {
		g.write(b, re)
	}
}

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// member returns a visible ASCII character of the class: of a class that holds
// nearly everything, one of base64, of which real secrets are.
func (g *generator) member(ranges []rune) byte {
	var all []byte
	for c := rune('!'); c < 0x7f; c++ {
		for i := 0; i < len(ranges); i += 2 {
			if ranges[i] <= c && c <= ranges[i+1] {
				all = append(all, byte(c))
				break
			}
		}
	}
	if len(all) == 0 {
		return ' '
	}
	// A backslash is in a class for the escapes of JSON, and padding is at the end of base64.
	if len(all) > 2 {
		all = slices.DeleteFunc(all, func(c byte) bool { return c == '\\' || c == '=' })
	}
	if len(all) > 80 {
		var kept []byte
		for _, c := range all {
			if strings.IndexByte(base64Alphabet, c) >= 0 {
				kept = append(kept, c)
			}
		}
		all = kept
	}
	return all[g.rnd.Intn(len(all))]
}

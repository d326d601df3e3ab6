package redact

import (
	"hash/fnv"
	"math/rand"
	"regexp"
	"strconv"
	"strings"
)

// Secrets in tests are made from templates, so that no file of the repository
// holds anything with the shape of one: {x40} is 40 random bytes of class x.
var placeholderRE = regexp.MustCompile(`\{(uuid|[axdUwbylq]\d+)\}`)

var alphabets = map[byte]string{
	'a': "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	'x': "0123456789abcdef",
	'd': "0123456789",
	'U': "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
	'w': "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
	'b': "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	'y': "abcdefghijklmnopqrstuvwxyz0123456789",
	'l': "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
	'q': "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}

// expand fills a template, always in the same way for the same seed, and returns
// the random parts of eight bytes and more: what must be gone after redaction.
func expand(template, seed string) (text string, parts []string) {
	h := fnv.New64a()
	h.Write([]byte(template + seed))
	rnd := rand.New(rand.NewSource(int64(h.Sum64())))
	text = placeholderRE.ReplaceAllStringFunc(template, func(p string) string {
		p = p[1 : len(p)-1]
		if p == "uuid" {
			x := random(rnd, 'x', 32)
			p = x[:8] + "-" + x[8:12] + "-4" + x[13:16] + "-a" + x[17:20] + "-" + x[20:]
		} else {
			n, _ := strconv.Atoi(p[1:])
			p = random(rnd, p[0], n)
		}
		if len(p) >= 8 {
			parts = append(parts, p)
		}
		return p
	})
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t").Replace(text), parts
}

func random(rnd *rand.Rand, class byte, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabets[class][rnd.Intn(len(alphabets[class]))]
	}
	if n > 0 && (b[0] == '-' || b[0] == '_') {
		b[0] = 'k'
	}
	if n > 0 && (b[n-1] == '-' || b[n-1] == '_') {
		b[n-1] = '7'
	}
	return string(b)
}

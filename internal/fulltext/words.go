package fulltext

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/graph"
)

// Word is a word of a question as typed, and its tokens: a word of several, such as
// a-b or /usr/lib, is a phrase.
type Word struct {
	Raw    string
	Tokens []string // folded, at least one
	Prefix bool     // the last token is the beginning of one
}

// minPrefix is how many letters and digits a word has before its * counts: one
// letter is the beginning of so many words that it tells nothing and costs much.
const minPrefix = 2

// ParseWords splits what a person typed. A word without any letter or digit
// matches nothing in particular and is left out. A * at the end of a word stands for
// any ending; nothing else in a word is an operator. A word that is typed twice is there
// once, so that it costs and weighs what it does alone; FTS5's own bm25() would add it up
// again for each time.
func ParseWords(s string) (words []Word) {
	seen := map[string]bool{}
	for _, raw := range strings.Fields(strings.ReplaceAll(s, "\x00", " ")) {
		w := Word{Raw: raw}
		for t := range tokens(raw) {
			w.Tokens = append(w.Tokens, t.folded)
		}
		if len(w.Tokens) > 0 {
			w.Prefix = strings.HasSuffix(raw, "*") && utf8.RuneCountInString(strings.Join(w.Tokens, "")) >= minPrefix
			if key := strings.Join(w.Tokens, " ") + fmt.Sprint(w.Prefix); !seen[key] {
				seen[key] = true
				words = append(words, w)
			}
		}
	}
	return words
}

// Question is ParseWords of what a store is asked; graph.ErrLongQuestion is of one that
// would cost more than an answer is worth.
func Question(s string) ([]Word, error) {
	words := ParseWords(s)
	if len(words) > maxWords || slices.ContainsFunc(words, func(w Word) bool { return len(w.Tokens) > maxWords }) {
		return nil, graph.ErrLongQuestion
	}
	return words, nil
}

// maxWords is how many words a question has at most, and how many tokens a word: as many
// as a Candidate has bits.
const maxWords = 64

// fields are the parts of a document; a phrase is inside of one.
func (d Document) fields() []string {
	return []string{d.ToolName, d.Content, d.Input, d.Text, d.Called}
}

// Matches reports whether a document has all words, each in any of its fields.
func Matches(d Document, words []Word) bool {
	found := make([]bool, len(words))
	for _, f := range d.fields() {
		toks := slices.Collect(tokens(f))
		for w, word := range words {
			for i := 0; i < len(toks) && !found[w]; i++ {
				found[w] = word.begins(toks[i:])
			}
		}
	}
	return !slices.Contains(found, false)
}

// Separator is the token between two fields in Words. No question has it, so that no
// phrase reaches from one field into the next.
const Separator = "\u241e"

// maxTerm bounds a token in Words, in bytes: Memgraph's index leaves out longer ones
// (Tantivy's default tokenizer: RemoveLongFilter::limit(40) keeps what is shorter than
// 40 bytes), Neo4j's cuts those of more than 255 characters into several.
const maxTerm = 39

// Term is a token as Words has it: cut to 39 bytes. A longer one is found by its
// beginning, and then compared whole (Matches).
func Term(token string) string {
	if len(token) > maxTerm {
		token = token[:boundary(token, maxTerm)]
	}
	return token
}

// Words is what an index with a tokenizer of its own is given of a document: the
// terms of the fields in their order, with a blank between two, and a Separator
// between two fields that have any. It is "" where there are none.
func Words(d Document) string {
	var b strings.Builder
	for _, f := range d.fields() {
		first := true
		for t := range tokens(f) {
			switch {
			case first && b.Len() > 0:
				b.WriteString(" " + Separator + " ")
			case !first:
				b.WriteByte(' ')
			}
			b.WriteString(Term(t.folded))
			first = false
		}
	}
	return b.String()
}

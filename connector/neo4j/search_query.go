package neo4j

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/actiongraph/actiongraph/cypher"
	"github.com/actiongraph/actiongraph/internal/fulltext"
)

// The index is asked for at most so many words and terms of each: what it finds is
// looked at whole anyway, and Lucene refuses a query of more than 1,024 clauses
// (IndexSearcher.TooManyClauses), which somebody gets who searches for a page.
const (
	maxWords = 64
	maxTerms = 8
)

// A term is letters and digits in lower case (fulltext.Term), so nothing in one is an
// operator of a query language: AND, OR, NOT and TO are upper case, everything else is
// punctuation, which separates terms.

// SearchQuery makes of what a person typed the value of a saved query's words
// (cypher.WordsParam): the engine's own query for all of them, as Search takes them. It
// gives what Search looks through, so a phrase that ends in * may be found torn apart.
func SearchQuery(d cypher.Dialect, typed string) (string, error) {
	words, err := fulltext.Question(typed)
	if err != nil {
		return "", err
	}
	if len(words) == 0 {
		return "", errors.New("there is no letter or digit in it: give words to search for")
	}
	if d != cypher.Memgraph {
		return luceneQuery(words), nil
	}
	// The query would go on without the word, and find what lacks it.
	if slices.ContainsFunc(words, func(w fulltext.Word) bool { return w.Prefix }) {
		return "", errors.New("the query language of Memgraph has no beginning of a word: leave out the *, or use ag-sessiond search")
	}
	_, query := tantivyQuery(words)
	return query, nil
}

// luceneQuery asks Lucene's query parser for all words.
func luceneQuery(words []fulltext.Word) string {
	var b strings.Builder
	for _, w := range words[:min(len(words), maxWords)] {
		terms, prefix := split(w)
		if len(terms) > 0 {
			b.WriteString(`+"` + strings.Join(terms, " ") + `" `)
		}
		if prefix != "" {
			b.WriteString("+" + prefix + "* ")
		}
	}
	return b.String()
}

// tantivyQuery asks Tantivy for all words, by search.memgraph.cypher or, where each is
// the beginning of one, by search_pattern.memgraph.cypher for the longest of them. No
// parentheses: search_all writes "all:", the field that all words are looked for in
// anyway, in front, and Tantivy 0.22 (Memgraph before 3.10) takes none after it.
func tantivyQuery(words []fulltext.Word) (statement, query string) {
	var phrases []string
	pattern := ""
	for _, w := range words[:min(len(words), maxWords)] {
		terms, prefix := split(w)
		if len(terms) > 0 {
			phrases = append(phrases, `"`+strings.Join(terms, " ")+`"`)
		}
		if len(prefix) > len(pattern) {
			pattern = prefix
		}
	}
	if len(phrases) == 0 {
		return "search_pattern", pattern + ".*"
	}
	return "search", strings.Join(phrases, " AND ")
}

// split gives the terms of a word that are whole, and the beginning of the one after
// them. Neither language has a phrase that ends with the beginning of a word.
func split(w fulltext.Word) (terms []string, prefix string) {
	for i, t := range w.Tokens[:min(len(w.Tokens), maxTerms)] {
		term := fulltext.Term(t)
		switch {
		case !w.Prefix || i < len(w.Tokens)-1 || term != t: // one that was cut is whole in the index
			terms = append(terms, term)
		case utf8.RuneCountInString(term) > 1:
			prefix = term
		}
	}
	return terms, prefix
}

// memgraphLimit is the third argument of Memgraph's text search: a number, and from 3.11
// on a map of options (release notes of 3.11.0, memgraph/memgraph#4191).
func memgraphLimit(version string) any {
	if v, ok := parseVersion(version); ok && (v[0] < 3 || v[0] == 3 && v[1] < 11) {
		return int64(memgraphMost)
	}
	return row{"limit": int64(memgraphMost)}
}

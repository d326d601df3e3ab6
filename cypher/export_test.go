package cypher

var ParseQueries = parseQueries

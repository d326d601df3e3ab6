package schema

import _ "embed"

// JSONSchema is event.schema.json: the Event Protocol as a JSON Schema (draft
// 2020-12), for producers and consumers that do not use Go. Tests hold it against
// Event in both directions. Do not modify it.
//
//go:embed event.schema.json
var JSONSchema []byte

package render

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// Images names the images and documents of a message, which are no part of the record:
// "[image: image/png, 34.1 kB]".
func Images(a *graph.ActionRow) (out []string) {
	raw := rawJSON(a.Properties["images"])
	if raw == nil {
		raw = schema.Field(rawJSON(a.Properties["properties"]), "images")
	}
	for image := range schema.Elements(raw) {
		out = append(out, pictured(schema.FieldString(image, "type"), schema.FieldString(image, "media_type"), schema.Field(image, "bytes")))
	}
	return out
}

// Picture names the file that a tool's result is, as JSON, where that is an image or a
// document; it is "" of any other result.
func Picture(result json.RawMessage) string {
	file := schema.Field(result, "file")
	if schema.Field(file, "base64") == nil {
		return ""
	}
	return pictured(schema.FieldString(result, "type"), schema.FieldString(file, "type"), schema.Field(file, "originalSize"))
}

func pictured(kind, media string, bytes json.RawMessage) string {
	words := []string{}
	if media = OneLine(media); media != "" {
		words = append(words, media)
	}
	if n, err := strconv.ParseInt(string(bytes), 10, 64); err == nil && n >= 0 {
		words = append(words, Bytes(n))
	}
	kind = cmp.Or(OneLine(kind), "binary content")
	if len(words) > 0 {
		kind += ": " + strings.Join(words, ", ")
	}
	return "[" + kind + "]"
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a journal's lines",
		Example: `  ag-sessiond schema > event.schema.json
  ag-sessiond schema | jq '.properties | keys'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(schema.JSONSchema)
			return err
		},
	}
}

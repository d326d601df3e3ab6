package main

import (
	"github.com/spf13/pflag"

	"github.com/actiongraph/actiongraph/adapters/jsonl"
)

// namespaceFlag is a --namespace: one that is none is refused where the flag is read, whatever
// the verb.
func namespaceFlag(flags *pflag.FlagSet, dst *string, usage string) {
	flags.Var((*namespaceValue)(dst), "namespace", usage)
}

type namespaceValue string

func (n *namespaceValue) Set(name string) error {
	if err := jsonl.CheckNamespace(name); err != nil {
		return err
	}
	*n = namespaceValue(name)
	return nil
}

func (n *namespaceValue) String() string { return string(*n) }
func (n *namespaceValue) Type() string   { return "string" }

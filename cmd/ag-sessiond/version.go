package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/actiongraph/actiongraph/schema"
)

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print versions",
		Example: `  ag-sessiond version
  ag-sessiond version --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versions()
			if a.json {
				return a.printJSON(v)
			}
			a.printf("%s\n", v)
			return nil
		},
	}
}

type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Protocol int    `json:"event_protocol"`
	Go       string `json:"go"`
}

func (v versionInfo) String() string {
	return fmt.Sprintf("ag-sessiond %s (event protocol %d, %s %s/%s)", v.Version, v.Protocol, v.Go, runtime.GOOS, runtime.GOARCH)
}

// release is the version of a published build: make release sets it.
var release string

// versions says what this program was built from, as the Go tool stamped it.
func versions() versionInfo {
	v := versionInfo{Version: "devel", Protocol: schema.Version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	if release != "" {
		v.Version = release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value
		}
	}
	return v
}

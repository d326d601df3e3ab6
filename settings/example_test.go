package settings_test

import (
	"fmt"

	"github.com/actiongraph/actiongraph/settings"
)

func ExampleInstall() {
	recorder := settings.Recorder{Binary: "/usr/local/bin/ag-hook", Args: []string{"claude"}, Events: []string{"Stop"}}
	text, err := settings.Install([]byte(`{"model": "opus"}`), recorder)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", text)
	text, err = settings.Uninstall(text)
	fmt.Printf("%s %v\n", text, err)
	// Output:
	// {"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "/usr/local/bin/ag-hook", "args": ["claude"]}]}]}}
	// {"model": "opus"} <nil>
}

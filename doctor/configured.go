package doctor

import (
	"context"
	"path/filepath"

	"github.com/actiongraph/actiongraph/config"
)

// configuration reads the file as the daemon does.
func configuration(_ context.Context, e *exam) []Check {
	path := filepath.Join(e.Home, config.FileName)
	c, err := e.config()
	if err != nil {
		return fail("correct it: ag-sessiond config edit; with an error in it no verb uses any of it", "%v", err)
	}
	for _, g := range c.Graph {
		if _, err := g.Secret(e.Getenv); err != nil {
			return fail("put the password where the file says it is", "%v", err)
		}
	}
	if len(c.Graph)+len(c.Source) == 0 {
		return ok("nothing is wrong with %s", path)
	}
	return ok("%s: %s, %s", path, plural(len(c.Graph), "graph", "graphs"), plural(len(c.Source), "source", "sources"))
}

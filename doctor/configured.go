package doctor

import (
	"cmp"
	"context"
	"path/filepath"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/policy"
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

// capture asks whether what config.toml says of it is in force: hooks read a compiled form.
func capture(_ context.Context, e *exam) []Check {
	p, state := policy.Load(e.Home)
	problem, cure := state.Problem()
	switch {
	case state.Err != nil:
		return fail(cure, "%s", problem)
	case problem != "":
		return warn(cure, "%s", problem)
	}
	rules := p.Rules()
	if rules.Zero() {
		return ok("everything is kept, but for secrets")
	}
	for _, dir := range []string{e.Claude.Project, e.Claude.UserHome} {
		if p.Project(dir) != 0 {
			return warn("take the rule out of exclude_projects, where sessions there are wanted: ag-sessiond config edit",
				"exclude_projects leaves out %s: nothing of sessions there is recorded", dir)
		}
	}
	return ok("in force: content = %s, without %s and %s", cmp.Or(rules.Content, policy.Full), plural(len(rules.ExcludeProjects), "folder", "folders"), plural(len(rules.ExcludeTools), "tool", "tools"))
}

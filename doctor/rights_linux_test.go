package doctor

import (
	"os"
	"testing"

	"github.com/actiongraph/actiongraph/internal/nobody"
)

// TestRights: what a user may not write or read, which root may.
func TestRights(t *testing.T) {
	if nobody.Run(t) {
		return
	}
	p := newPatient(t)
	p.check(os.Chmod(p.Home+"/journal", 0o500))
	p.want("home", Fail, "cannot be written", "chmod u+rwx")
	p.want("probe", Fail, "make "+p.Home)
	p.want("hook.log", Fail, "nothing was recorded since", "remove "+p.Home+"/hook.log")
	p.check(os.Chmod(p.Home+"/journal", 0o700))
	p.want("home", OK)
	p.want("probe", OK)
	p.remove("home/hook.log")
	p.want("hook.log", OK)

	// The whole home, as when its disk is mounted read-only: every check answers.
	p.check(os.Chmod(p.Home+"/journal", 0o500))
	p.check(os.Chmod(p.Home, 0o500))
	for _, c := range Run(t.Context(), p.Env) {
		if failed := c.Name == "home" || c.Name == "probe" || c.Name == "store"; (c.Status == Fail) != failed && c.Name != "disk" {
			t.Errorf("%+v", c)
		}
	}
	p.check(os.Chmod(p.Home, 0o700))
	p.check(os.Chmod(p.Home+"/journal", 0o700))

	p.check(os.Chmod(p.file("well"), 0))
	p.want("journal", Fail, "session well cannot be read", "chmod 600")
	p.check(os.Chmod(p.file("well"), 0o600))
	p.want("journal", OK)

	// A home that cannot be made.
	p.check(os.Chmod(p.dir, 0o500))
	p.Home = p.dir + "/other"
	p.want("home", Fail, "is not there and "+p.dir+" cannot be written")
	p.check(os.Chmod(p.dir, 0o700))
	p.want("home", OK)
}

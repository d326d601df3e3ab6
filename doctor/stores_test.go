package doctor

import (
	"database/sql"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph/config"
	"github.com/actiongraph/actiongraph/connector"
)

func (p *patient) sql(statement string) {
	p.Helper()
	db, err := sql.Open("sqlite", filepath.ToSlash(p.path("home/graph.db")))
	p.check(err)
	_, err = db.Exec(statement)
	p.check(err)
	p.check(db.Close())
}

// fold makes the store anew, as most cures say.
func (p *patient) fold() {
	p.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		p.remove("home/graph.db" + suffix)
	}
	p.sync()
}

func TestStore(t *testing.T) {
	p := newPatient(t)
	p.want("store", OK, "has all of the journal")
	p.want("verify", OK, "session well is in the store as the journal has it")
	p.record("SessionStart", "new", time.Now())
	p.want("store", OK, "of journal behind")
	p.want("verify", OK, "session well")
	p.sync()
	p.want("verify", OK, "session new")

	p.sql("DELETE FROM action")
	p.sql("UPDATE session SET status = 'failed'")
	p.want("verify", Fail, "session new differs", "graph-schema clear")
	p.fold()
	p.want("verify", OK)

	p.sql("PRAGMA user_version = 99")
	p.want("store", Fail, "layout version 99")
	p.want("verify", OK, "see store")
	p.want("ends", OK, "see store")
	p.fold()
	p.want("store", OK)

	for _, suffix := range []string{"-wal", "-shm"} {
		p.remove("home/graph.db" + suffix)
	}
	p.write("home/graph.db", "this is no database, it is a text of some length, which SQLite sees at once; indeed it is")
	p.want("store", Fail, "move it away")
	p.remove("home/graph.db")
	p.want("store", OK, "not made yet")
	p.want("verify", OK, "no store")
}

// TestWithoutEnd: a session whose process died, as Claude Code's own file of it shows.
func TestWithoutEnd(t *testing.T) {
	p := newPatient(t)
	p.want("ends", OK)
	gone := exec.Command(p.hook, "--version") // a process that was
	p.check(gone.Run())
	p.record("SessionStart", "killed", time.Now().Add(-time.Hour))
	quiet := time.Now().Add(-10 * time.Minute)
	p.check(os.Chtimes(p.file("killed"), quiet, quiet))
	p.sync()
	p.write(fmt.Sprintf("user/.claude/sessions/%d.json", gone.Process.Pid), fmt.Sprintf(`{"sessionId":"killed","startedAt":%d}`, time.Now().Add(-time.Hour).UnixMilli()))
	p.want("ends", Warn, "1 session without an end", "as killed", "SessionEnd")
	p.record("SessionEnd", "killed", time.Now())
	p.sync()
	p.want("ends", OK)
}

func TestConfiguration(t *testing.T) {
	p := newPatient(t)
	p.want("config", OK)
	p.write("home/config.toml", "[api]\nlissten = \"x\"\n")
	p.want("config", Fail, "config.toml:2: unknown key", "ag-sessiond config edit")
	p.want("graphs", OK, "not known before config.toml is right")
	p.write("home/config.toml", "[[graph]]\nurl = \"bolt://localhost:1\"\npassword_env = \"AG_NONE\"\n")
	p.want("config", Fail, "AG_NONE is not set", "put the password")
	p.want("graphs", Fail, "AG_NONE")
	p.remove("home/config.toml")
	p.want("config", OK)
}

// TestPolicy: what is not in force, what cannot be read, and a probe where a policy leaves
// out what a probe does.
func TestPolicy(t *testing.T) {
	p := newPatient(t)
	p.want("policy", OK, "everything is kept")
	p.write("home/config.toml", fmt.Sprintf("[capture]\nexclude_projects = [%q]\nexclude_tools = [\"*\"]\ncontent = \"none\"\n", filepath.ToSlash(os.TempDir())))
	p.want("policy", Fail, "never compiled", "ag-sessiond status")
	_, err := config.CompilePolicy(p.Home)
	p.check(err)
	p.want("policy", Warn, "exclude_projects leaves out "+p.Claude.Project, "config edit")
	before := p.tree()
	p.want("probe", OK)
	if !maps.Equal(before, p.tree()) {
		t.Error("the home was changed")
	}
	for pattern, want := range map[string]struct {
		status Status
		words  string
	}{
		filepath.ToSlash(p.Claude.UserHome):         {Warn, "leaves out " + p.Claude.UserHome},
		filepath.ToSlash(p.Claude.Project):          {Warn, "leaves out " + p.Claude.Project},
		filepath.ToSlash(p.path("user/a-customer")): {OK, "content = none, without 1 folder and 1 tool"},
	} {
		p.write("home/config.toml", fmt.Sprintf("[capture]\nexclude_projects = [%q]\nexclude_tools = [\"*\"]\ncontent = \"none\"\n", pattern))
		_, err := config.CompilePolicy(p.Home)
		p.check(err)
		p.want("policy", want.status, want.words)
	}
	text, err := os.ReadFile(filepath.Join(p.Home, "config.toml"))
	p.check(err)
	p.remove("home/config.toml")
	p.want("policy", Warn, "config.toml is gone", "ag-sessiond config set capture.content full")
	p.write("home/config.toml", string(text))
	p.write("home/policy", "rubbish")
	p.want("policy", Fail, "ag-sessiond status")
	p.remove("home/policy")
	p.remove("home/config.toml")
	p.want("policy", OK)
}

// TestGraphs: a database that is down, and one that takes connections and says nothing.
func TestGraphs(t *testing.T) {
	p := newPatient(t)
	p.want("graphs", OK, "none is configured")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	p.check(err)
	url := "bolt://" + listener.Addr().String()
	p.write("home/config.toml", "[[graph]]\nname = \"team\"\nurl = \""+url+"\"\n")
	if c := p.look("graphs"); c.Name != "graph team" {
		t.Errorf("%+v", c)
	}
	p.want("graphs", Fail, url, "no answer within", "take it out of config.toml")
	p.check(listener.Close())
	p.want("graphs", Fail, url, "start it")
	p.want("daemon", Warn, "none runs, and config.toml has 1 graph", "ag-sessiond run")
	p.remove("home/config.toml")
	p.want("graphs", OK)
	p.want("daemon", OK)
}

func TestDaemon(t *testing.T) {
	p := newPatient(t)
	p.want("daemon", OK, "none runs, and none is needed")
	lock, err := connector.LockHome(p.Home, connector.RunLock, 0)
	p.check(err)
	p.want("daemon", Warn, "does not say how it is", "start it again")
	p.write("home/status.json", `{"stores":[{"name":"sqlite","state":"up"}]}`)
	p.want("daemon", OK, "runs and follows the journal")
	p.record("SessionStart", "new", time.Now())
	p.want("daemon", Warn, "had not folded", "within 2s")
	p.sync()
	p.want("daemon", OK)
	p.write("home/status.json", `{"stores":[{"name":"sqlite","state":"up"},{"name":"team","state":"down","last_error":"refused"}]}`)
	p.want("daemon", Warn, "store team is down: refused", "ag-sessiond status")
	p.write("home/status.json", `{"stores":[{"name":"team","state":"up","refused_sessions":2,"last_error":"not unique"}]}`)
	p.want("daemon", Warn, "not unique")
	p.check(lock.Unlock())
	p.want("daemon", OK)
}

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/actiongraph/actiongraph"
	"github.com/actiongraph/actiongraph/adapters/jsonl"
	"github.com/actiongraph/actiongraph/graph"
	"github.com/actiongraph/actiongraph/schema"
)

// TestKilledWhilePosting kills the daemon again and again while agents post events and
// grains to it and others write the files that it follows. Who posted gets an answer or
// posts again. In the end the graph is the one of what was acknowledged and of what is in
// the files: nothing is missing, nothing is there twice.
func TestKilledWhilePosting(t *testing.T) {
	sessiond := build(t, "ag-sessiond")
	h, logs := home(t), t.TempDir()
	stop := make(chan struct{})
	var work sync.WaitGroup
	posters := make([]*poster, 6)
	for w := range posters {
		posters[w] = newPoster(h, w)
		work.Go(func() { posters[w].run(t, stop) })
	}
	dump, err := os.ReadFile(filepath.Join("..", "..", "adapters", "jsonl", "testdata", "audit", "trace-260301_101500.jsonl"))
	must(t, err)
	files := map[string][]byte{"trace-260301_101500.jsonl": dump, "agent.jsonl": eventLines(2000), "grains.jsonl": grainLines(2000)}
	for name, text := range files {
		work.Go(func() { dribble(t, filepath.Join(logs, name), text, stop) })
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	daemon := func() *exec.Cmd {
		cmd := exec.Command(sessiond, "run", "--home", h, "--log", "json", "--no-transcripts", "--source", logs)
		stderr, err := os.Create(filepath.Join(t.TempDir(), "run.log"))
		must(t, err)
		cmd.Stderr = stderr
		must(t, cmd.Start())
		stderr.Close()
		return cmd
	}
	kills, answered := 100, 0
	if os.Getenv("AG_SOAK") == "1" {
		kills = 1000
	}
	for n := range kills {
		cmd := daemon()
		before := acknowledged(posters)
		if n%2 == 0 { // or it may die before it has answered anybody
			eventually(t, func() error {
				if acknowledged(posters) == before {
					return fmt.Errorf("the daemon acknowledges nothing")
				}
				return nil
			})
		}
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
			out, _ := os.ReadFile(cmd.Stderr.(*os.File).Name())
			t.Errorf("daemon %d ended by itself: %v\n%s", n, err, out)
		}
		if acknowledged(posters) > before {
			answered++
		}
	}
	close(stop)
	last := daemon()
	work.Wait()
	want := expected(t, posters, sessiond, logs)
	eventually(t, func() error { return sameSessions(want, folded(t, h)) })
	must(t, last.Process.Signal(os.Interrupt))
	if err := last.Wait(); err != nil {
		t.Errorf("the last daemon: %v", err)
	}
	if err := sameSessions(want, folded(t, h)); err != nil {
		t.Error(err)
	}
	run(t, sessiond, h, "sync")
	run(t, sessiond, h, "verify")
	again := 0
	for _, p := range posters {
		again += p.again
	}
	t.Logf("%d batches acknowledged by %d of %d daemons that were killed, %d posted again", acknowledged(posters), answered, kills, again)
	if again == 0 || answered < kills/2 {
		t.Error("nothing was tested")
	}
}

// poster posts batches of its own, each until it is acknowledged.
type poster struct {
	client *http.Client
	w      int
	acked  atomic.Int64 // the batches 0 to acked-1 are
	again  int          // posts without an answer
}

func newPoster(home string, w int) *poster {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(home, "api.sock"))
	}
	return &poster{w: w, client: &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: 10 * time.Second}}
}

func acknowledged(posters []*poster) (n int64) {
	for _, p := range posters {
		n += p.acked.Load()
	}
	return n
}

func (p *poster) run(t *testing.T, stop chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		for !p.post(t, n) {
			p.again++
			time.Sleep(time.Millisecond)
		}
		p.acked.Add(1)
	}
}

// post reports whether the batch n was acknowledged.
func (p *poster) post(t *testing.T, n int) bool {
	events, grains := p.batch(n)
	url, body := "http://localhost/v1/events", any(events)
	if grains != nil {
		var items []any
		for _, g := range grains {
			items = append(items, map[string]any{"grain_type": "action", "fields": g})
		}
		url, body = fmt.Sprintf("http://localhost/api/memories/n%d/batch-add", p.w%2), map[string]any{"grains": items}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Error(err)
	}
	resp, err := p.client.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return false
	}
	if resp.StatusCode/100 == 4 {
		t.Errorf("%s: %s", resp.Status, answer)
	}
	return resp.StatusCode/100 == 2
}

// batch is what the batch n says: events of calls into sessions that posters share, or
// grains of a namespace that they share. It states its times, so that to post it again
// says the same.
func (p *poster) batch(n int) (events []schema.Event, grains []map[string]any) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
	for i := range 5 {
		id := fmt.Sprintf("toolu_%d_%05d_%d", p.w, n, i)
		if n%2 == 1 {
			grains = append(grains, map[string]any{
				"tool_name": "web_search", "input": map[string]any{"query": id}, "content": strings.Repeat("sunny ", 50), "duration_ms": n,
				"created_at": schema.FormatTime(at.Add(time.Duration(p.w*10+i) * time.Millisecond)), "tags": []string{"posted"}, "parent_task_id": "task-1",
			})
			continue
		}
		call := schema.Event{
			V: schema.Version, EventType: schema.ToolStart, SessionID: fmt.Sprint("posted-", p.w%3), ToolName: "Bash", ToolUseID: id, EventID: id + "-start",
			ToolInput: json.RawMessage(`{"command":"echo ` + strings.Repeat("x", 300) + `"}`), Timestamp: at.Add(time.Duration(p.w*10+i) * time.Millisecond),
			Origin: schema.OriginAPI, SourceSDK: "e2e",
		}
		result := call
		result.EventType, result.EventID, result.ToolInput, result.Result = schema.ToolEnd, id+"-end", nil, json.RawMessage(`"done"`)
		result.Timestamp = call.Timestamp.Add(100 * time.Millisecond)
		events = append(events, call, result)
	}
	return events, grains
}

func eventLines(n int) (text []byte) {
	for i := range n {
		text = fmt.Appendf(text, `{"event_type":"message","session_id":"followed","role":"user","content":"line %d","timestamp":"2026-11-20T10:%02d:%02d.%03dZ"}`+"\n",
			i, i/60%60, i%60, i%1000)
	}
	return text
}

func grainLines(n int) (text []byte) {
	for i := range n {
		text = fmt.Appendf(text, `{"tool_name":"fetch","content":"page %d","created_at":"2026-11-20T11:%02d:%02dZ","namespace":"followed"}`+"\n", i, i/60%60, i%60)
	}
	return text
}

// dribble writes a file in pieces that end anywhere, and its rest when it is to stop.
func dribble(t *testing.T, path string, text []byte, stop chan struct{}) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for len(text) > 0 {
		n := min(1+rand.IntN(400), len(text))
		select {
		case <-stop:
			n = len(text)
		case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		}
		if _, err := f.Write(text[:n]); err != nil {
			t.Error(err)
			return
		}
		text = text[n:]
	}
}

// expected is the graph of what was acknowledged, and of the files imported at once, in a
// home that nobody killed.
func expected(t *testing.T, posters []*poster, sessiond, logs string) map[string]*graph.Graph {
	t.Helper()
	h := home(t)
	a, err := actiongraph.Open(h, actiongraph.Options{})
	must(t, err)
	defer a.Close()
	for _, p := range posters {
		for n := range int(p.acked.Load()) {
			events, grains := p.batch(n)
			var batch []actiongraph.Grain
			for _, fields := range grains {
				fields["namespace"] = fmt.Sprint("n", p.w%2)
				raw, err := json.Marshal(fields)
				must(t, err)
				g, err := jsonl.ParseGrain(raw)
				must(t, err)
				batch = append(batch, g)
			}
			must(t, a.AddEvents(events))
			_, err := a.AddBatch(batch)
			must(t, err)
		}
	}
	run(t, sessiond, h, "import", logs)
	return folded(t, h)
}

// sameSessions says how two homes differ, in sessions that have something in them: a
// source's positions are none.
func sameSessions(want, got map[string]*graph.Graph) error {
	empty := func(_ string, g *graph.Graph) bool { return len(g.Nodes()) == 0 }
	maps.DeleteFunc(want, empty)
	maps.DeleteFunc(got, empty)
	for id, g := range want {
		other := got[id]
		if other == nil {
			return fmt.Errorf("session %s is missing", id)
		}
		changes := slices.DeleteFunc(graph.Diff(g, other), func(c graph.Change) bool {
			return c.Field == "recording_failures" // a daemon that is killed leaves torn lines, which who posts does not know
		})
		if len(changes) > 0 {
			return fmt.Errorf("session %s: %d differences, the first: %v", id, len(changes), changes[0])
		}
	}
	for id := range got {
		if want[id] == nil {
			return fmt.Errorf("session %s is in addition", id)
		}
	}
	return nil
}

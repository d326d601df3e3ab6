package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// What is posted: batches of calls and their results, of about 600 bytes an event, to
// sessions of a working day.
const (
	postedEvents = 400_000
	batchEvents  = 500
	postersAll   = 4
	dayBatches   = 20 // of a session
)

// post measures how many events a second the daemon acknowledges over HTTP: they are on
// the disk then. Its store takes them at the same time, on the same cores.
func (b *bench) post() error {
	home := filepath.Join(b.dir, "http")
	cmd := exec.Command(b.sessiond, "run", "--home", home, "--log", "json", "--no-transcripts")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	err := b.postTo(filepath.Join(home, "api.sock"), cmd.Process.Pid)
	if stopErr := stop(cmd); stopErr != nil || err != nil {
		return errors.Join(err, stopErr, fmt.Errorf("run: %s", log.Bytes()))
	}
	return nil
}

func (b *bench) postTo(socket string, pid int) error {
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			break
		}
		if time.Since(start) > 10*time.Second {
			return fmt.Errorf("no socket %s", socket)
		}
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: postersAll,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}}}
	defer client.CloseIdleConnections()
	for _, posters := range []int{1, postersAll} {
		batches := postedEvents / b.scale / batchEvents / posters
		took := make([][]time.Duration, posters)
		errs := make([]error, posters)
		var all sync.WaitGroup
		start := time.Now()
		for p := range posters {
			all.Go(func() { took[p], errs[p] = postBatches(client, fmt.Sprintf("post-%d-%d", posters, p), batches) })
		}
		all.Wait()
		each := time.Since(start)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		perSecond := float64(posters*batches*batchEvents) / each.Seconds()
		waits := slices.Concat(took...)
		slices.Sort(waits)
		name := fmt.Sprintf("POST /v1/events, batches of %d, %d at a time, acknowledged", batchEvents, posters)
		b.table.add(name, "≥ 20,000/s", fmt.Sprintf("%.0f events/s (a batch p50 %s, p99 %s)",
			perSecond, ms(waits[len(waits)/2]), ms(waits[len(waits)*99/100])), perSecond >= 20_000)
	}
	if peak, err := peakBytes(pid); err == nil { // needs /proc
		b.rss("the daemon meanwhile, peak RSS", 200, peak)
	}
	return nil
}

// postBatches posts one batch after the other, and returns how long each took.
func postBatches(client *http.Client, name string, batches int) (took []time.Duration, err error) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range batches {
		body := batch(fmt.Sprintf("%s-%d", name, i/dayBatches), i*batchEvents, at)
		start := time.Now()
		resp, err := client.Post("http://localhost/v1/events", "application/x-ndjson", bytes.NewReader(body))
		if err != nil {
			return took, err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		took = append(took, time.Since(start))
		var answer struct {
			Accepted int `json:"accepted"`
		}
		if err == nil {
			err = json.Unmarshal(text, &answer)
		}
		if err != nil || resp.StatusCode != http.StatusOK || answer.Accepted != batchEvents {
			return took, fmt.Errorf("%d: %.300s: %w", resp.StatusCode, text, err)
		}
	}
	return took, nil
}

// batch is events as lines, from the n-th on.
func batch(session string, n int, at time.Time) []byte {
	var b bytes.Buffer
	const result = "72F, partly cloudy, humidity 65%, wind 8 mph from the north-east, no rain expected before midnight; the forecast " +
		"for tomorrow is much the same, with a high of 75F and a light breeze in the afternoon, clear after sunset"
	for i := n; i < n+batchEvents; i += 2 {
		when := at.Add(time.Duration(i) * 500 * time.Millisecond).Format(time.RFC3339Nano)
		fmt.Fprintf(&b, `{"event_type":"tool_start","session_id":%q,"timestamp":%q,"source_sdk":"bench","tool_name":"web_search","tool_use_id":"call-%d",`+
			`"tool_input":{"query":"weather in tokyo, number %d","units":"imperial","days":2,"language":"en"},"agent_name":"forecaster","model":"m"}`+"\n", session, when, i, i)
		fmt.Fprintf(&b, `{"event_type":"tool_end","session_id":%q,"timestamp":%q,"source_sdk":"bench","tool_name":"web_search","tool_use_id":"call-%d",`+
			`"result":%q,"duration_ms":340}`+"\n", session, when, i, result)
	}
	return b.Bytes()
}

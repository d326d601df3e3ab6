package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	collectorpb "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/actiongraph/actiongraph/errcode"
	"github.com/actiongraph/actiongraph/history"
)

// Collector takes spans by OTLP/HTTP, as Protobuf.
type Collector struct {
	// Endpoint is where it listens, http://localhost:4318. Spans go to /v1/traces below it,
	// unless it says that itself.
	Endpoint string
	// Headers are sent with each request: what a vendor asks for. See ParseHeaders.
	Headers http.Header
	// Patience is how long a request is tried again while the collector has no time for it;
	// 0 is a minute.
	Patience time.Duration
}

const (
	tracesPath     = "/v1/traces"
	requestTimeout = 10 * time.Second // OTEL_EXPORTER_OTLP_TIMEOUT's default
	maxAnswer      = 64 << 10
)

// ParseHeaders reads OTEL_EXPORTER_OTLP_HEADERS: key=value,key=value, values percent-encoded.
func ParseHeaders(s string) (http.Header, error) {
	h := http.Header{}
	for pair := range strings.SplitSeq(s, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !found || name == "" || err != nil {
			// The value may be a credential: the error does not say it.
			return nil, fmt.Errorf("header %q: want name=value, the value percent-encoded", name)
		}
		h.Add(name, decoded)
	}
	return h, nil
}

// Check says what is wrong with the endpoint, if anything is.
func (c *Collector) Check() error {
	_, err := c.url()
	return err
}

// url is where requests go.
func (c *Collector) url() (*url.URL, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil { // which would say the whole of it, a password included
		return nil, errors.New("the endpoint is no URL: give one such as http://localhost:4318")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("endpoint %q: want a URL such as http://localhost:4318", shown(u))
	}
	if !strings.HasSuffix(u.Path, tracesPath) {
		u.Path = strings.TrimSuffix(u.Path, "/") + tracesPath
	}
	return u, nil
}

// shown is a URL without what may be a credential: vendors take their key as a password, or in the query.
func shown(u *url.URL) string {
	bare := url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path}
	text := bare.String()
	if i := strings.LastIndexByte(text, '@'); i >= 0 { // of what is no URL as it was meant
		text = "…" + text[i:]
	}
	return text
}

// Send sends the spans of a session, a request at a time. Where it ends early the report says
// how many spans were sent; to send them again gives them the same ids.
func (c *Collector) Send(ctx context.Context, log *history.Log, o Options) (Report, error) {
	log, report := begin(log, OTLP, o)
	to, err := c.url()
	if err != nil {
		return report, err
	}
	sessions, err := fold(ctx, log, o.Content, o)
	if err != nil {
		return report, err
	}
	// A redirection would hand the headers to somebody else.
	client := &http.Client{Timeout: requestTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	for request := range requests(sessions, o) {
		body, err := proto.Marshal(request)
		if err != nil {
			return report, fmt.Errorf("send spans: %w", err)
		}
		answer, err := c.send(ctx, client, to, body)
		if err != nil {
			return report, notTaken(fmt.Errorf("send spans to %s, of which it has %d: %w", shown(to), report.Items, err))
		}
		report.Items += len(request.ResourceSpans[0].ScopeSpans[0].Spans)
		if p := answer.GetPartialSuccess(); p.GetRejectedSpans() > 0 || p.GetErrorMessage() != "" {
			report.Rejected += p.GetRejectedSpans()
			report.Message = p.GetErrorMessage()
		}
	}
	return report, ctx.Err()
}

// notTaken is the code of a collector that did not take what was sent, but where the caller gave up.
func notTaken(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return errcode.With(errcode.CollectorFailed, err)
}

// send sends one request, and again where the collector asks for that, or the connection breaks.
func (c *Collector) send(ctx context.Context, client *http.Client, to *url.URL, body []byte) (*collectorpb.ExportTraceServiceResponse, error) {
	patience := c.Patience
	if patience == 0 {
		patience = time.Minute
	}
	answer, err := backoff.Retry(ctx, func() (*collectorpb.ExportTraceServiceResponse, error) {
		return c.post(ctx, client, to, body)
	}, backoff.WithMaxElapsedTime(patience))
	var last *backoff.RetryAfterError
	if errors.As(err, &last) {
		err = fmt.Errorf("it is too busy, and asks to come again after %v", last.Duration)
	}
	return answer, err
}

func (c *Collector) post(ctx context.Context, client *http.Client, to *url.URL, body []byte) (*collectorpb.ExportTraceServiceResponse, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, backoff.Permanent(err)
	}
	for name, values := range c.Headers {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // which does not name the URL, and so no password in it
		}
		var network *net.OpError
		if errors.As(err, &network) && network.Op == "dial" { // a person waits: nobody is there
			err = backoff.Permanent(err)
		}
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		answer := &collectorpb.ExportTraceServiceResponse{}
		if strings.HasPrefix(response.Header.Get("Content-Type"), "application/x-protobuf") {
			if err := proto.Unmarshal(text, answer); err != nil {
				return nil, backoff.Permanent(fmt.Errorf("its answer is none of OTLP: %w", err))
			}
		}
		return answer, nil
	}
	err = fmt.Errorf("it answers %s", response.Status)
	switch response.StatusCode { // those that OTLP says may be tried again
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, convErr := strconv.Atoi(response.Header.Get("Retry-After")); convErr == nil {
			return nil, backoff.RetryAfter(seconds)
		}
		return nil, err
	}
	return nil, backoff.Permanent(err)
}

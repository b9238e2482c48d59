package appwrite

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/appwrite/sdk-for-go/appwrite"
	"github.com/appwrite/sdk-for-go/client"
)

// DefaultTimeout bounds an attempt. It is twice the 15 seconds after which a
// server gives up a statement, so that the server is heard before we hang up.
const DefaultTimeout = 30 * time.Second

// Config says where the project is and how to enter it.
type Config struct {
	Endpoint string // with its path: "https://cloud.appwrite.io/v1"
	Project  string // the project's id
	Key      string // the API key
}

// Format writes the configuration without the key, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "appwrite.Config{Endpoint: %q, Project: %q}", c.Endpoint, c.Project)
}

// LogValue gives the configuration without the key.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("endpoint", c.Endpoint), slog.String("project", c.Project))
}

// Client talks to one project. It is safe for concurrent use.
type Client struct {
	endpoint string
	project  string
	// headers gives the SDK's headers, the key among them, in a map of the
	// caller's own. It is a function so that printing a Client shows no key.
	headers func() map[string]string
	// redact takes the key out of a text.
	redact func(string) string

	base        http.RoundTripper
	timeout     time.Duration
	waitFor     time.Duration
	maxResponse int64
	format      string  // response format; "" is the server's own
	dialect     Dialect // "" is by version
	logger      *slog.Logger
	clock       Clock
	guards      []func(context.Context) error
	observe     func(Exchange)
	readOnly    bool

	found *discovery // shared by all clients derived from one
}

// New gives a client for the project that cfg names. It sends nothing.
func New(cfg Config, opts ...Option) (*Client, error) {
	if cfg.Key == "" {
		return nil, errors.New("appwrite: the API key is missing")
	}
	inner := sdk.NewClient(sdk.WithEndpoint(cfg.Endpoint), sdk.WithProject(cfg.Project), sdk.WithKey(cfg.Key))
	inner.Client = nil
	return FromSDK(inner, opts...)
}

// FromSDK gives a client that uses the endpoint, headers and transport of an
// SDK client. The SDK client's time limit holds where it is longer than
// DefaultTimeout (the SDK's own default is shorter than a server's statement
// may take), and self-signed certificates are accepted where it says so, here
// without changing the transport of the whole process.
func FromSDK(inner client.Client, opts ...Option) (*Client, error) {
	endpoint, err := parseEndpoint(inner.Endpoint)
	if err != nil {
		return nil, err
	}
	headers := maps.Clone(inner.Headers)
	project := header(headers, "X-Appwrite-Project")
	if project == "" {
		return nil, errors.New("appwrite: the project id is missing")
	}
	for name, value := range headers {
		if strings.ContainsFunc(value, notPrintable) {
			return nil, fmt.Errorf("appwrite: the value of %s has characters that no header may hold", name)
		}
	}
	c := &Client{
		endpoint:    endpoint,
		project:     project,
		headers:     func() map[string]string { return maps.Clone(headers) },
		redact:      redactor(headers),
		timeout:     max(DefaultTimeout, inner.Timeout),
		waitFor:     DefaultWait,
		maxResponse: MaxResponseBytes,
		logger:      slog.New(slog.DiscardHandler),
		clock:       wallClock{},
		found:       newDiscovery(),
	}
	if inner.Client != nil {
		c.base = inner.Client.Transport
		c.timeout = max(c.timeout, inner.Client.Timeout)
	}
	if c.base == nil {
		c.base = newTransport(inner.SelfSigned)
	}
	return c.With(opts...)
}

// With gives a client like c, changed by opts. Both share connections and what
// has been found out about the server.
func (c *Client) With(opts ...Option) (*Client, error) {
	derived := *c
	derived.guards = append([]func(context.Context) error(nil), c.guards...)
	for _, opt := range opts {
		if err := opt(&derived); err != nil {
			return nil, fmt.Errorf("appwrite: %w", err)
		}
	}
	return &derived, nil
}

// SDK gives an SDK client bound to ctx: cancelling ctx ends its requests, and
// the time limits, the guards and the read-only mode of c hold for them. Its
// headers are those the SDK expects, among them the response format that its
// models can read.
func (c *Client) SDK(ctx context.Context) client.Client {
	return client.Client{
		Endpoint:  c.endpoint,
		Headers:   c.headers(),
		Timeout:   c.timeout,
		ChunkSize: 5 << 20,
		Client: &http.Client{
			Transport:     &boundTransport{ctx: ctx, client: c, seen: new(exchange)},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Endpoint is where the client sends its requests.
func (c *Client) Endpoint() string { return c.endpoint }

// Project is the id of the client's project.
func (c *Client) Project() string { return c.project }

// Close drops idle connections. Calls still under way go on.
func (c *Client) Close() {
	(&http.Client{Transport: c.base}).CloseIdleConnections()
}

// Format writes the endpoint and the project, whatever the verb.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "appwrite.Client("+c.endpoint+" "+c.project+")")
}

// LogValue gives the endpoint and the project.
func (c *Client) LogValue() slog.Value {
	return slog.GroupValue(slog.String("endpoint", c.endpoint), slog.String("project", c.project))
}

func parseEndpoint(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return "", errors.New("appwrite: the endpoint is not a URL")
	case u.User != nil:
		return "", errors.New("appwrite: the endpoint must not hold a user name or password")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", fmt.Errorf(`appwrite: the endpoint %q is not of the form "https://host/v1"`, endpoint)
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("appwrite: the endpoint %q must end with its path", endpoint)
	}
	return strings.TrimRight(endpoint, "/"), nil
}

// newTransport gives a transport that keeps enough connections for the calls
// that a migration has open at once (net/http keeps two to a host).
func newTransport(selfSigned bool) *http.Transport {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial((&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext).gated(),
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          64,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       30 * time.Second, // sooner than servers: a write into a closing connection is in doubt
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if selfSigned {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the user's SDK client asks for it
	}
	return t
}

// header gives a header's value; the map's keys are in any letter case.
func header(headers map[string]string, name string) string {
	for key, value := range headers {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return ""
}

func dropHeader(headers map[string]string, name string) {
	maps.DeleteFunc(headers, func(key, _ string) bool { return strings.EqualFold(key, name) })
}

// redactor gives a function that takes credentials out of a text, for servers
// and proxies that echo what they were sent.
func redactor(headers map[string]string) func(string) string {
	var pairs []string
	for _, name := range []string{"X-Appwrite-Key", "X-Appwrite-JWT", "X-Appwrite-Session", "Authorization"} {
		if secret := header(headers, name); secret != "" {
			pairs = append(pairs, secret, "[redacted]")
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

func notPrintable(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

package appwritetest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// Proxy stands between a client and an Appwrite server, real or embedded, and
// makes requests fail on their way.
type Proxy struct {
	endpoint string
	faults   *faults
}

// NewProxy returns a proxy on the loopback interface for a server's endpoint
// ("https://cloud.example/v1"). It is closed when the test ends.
func NewProxy(t TB, endpoint string) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil || target.Host == "" {
		t.Fatalf("appwritetest: proxy for %q: want an endpoint such as http://127.0.0.1:8080/v1", endpoint)
	}
	transport := &http.Transport{}
	reverse := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, target.Host
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			t.Logf("appwritetest: proxy: %s %s: %v", r.Method, r.URL.Path, err)
			reset(w)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("appwritetest: proxy: %v", err)
	}
	faults := newFaults(target.Path, "")
	server := &http.Server{Handler: faults.wrap(reverse), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		faults.close()
		_ = server.Close()
		<-served
		faults.wait()
		transport.CloseIdleConnections()
	})
	return &Proxy{endpoint: "http://" + listener.Addr().String() + target.Path, faults: faults}
}

// Endpoint is what clients use instead of the server's.
func (p *Proxy) Endpoint() string { return p.endpoint }

// Inject makes requests fail from now on.
func (p *Proxy) Inject(fault Fault) *Injection { return p.faults.inject(fault) }

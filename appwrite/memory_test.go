package appwrite_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
)

// newStubInMemory is newStub on a network in memory. Nobody else gets its
// address when it is closed, and in a bubble of testing/synctest time passes
// only when client and server both wait, however slow the machine is.
func newStubInMemory(tb testing.TB, version string, answer http.HandlerFunc) *stub {
	tb.Helper()
	s := &stub{network: &memoryNetwork{accepted: make(chan net.Conn), closed: make(chan struct{})}}
	s.Server = &httptest.Server{Listener: s.network, Config: &http.Server{Handler: s.answering(version, answer)}}
	s.Start()
	tb.Cleanup(s.Close)
	return s
}

// memoryNetwork is a net.Listener and the way to reach it.
type memoryNetwork struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
	dialed   atomic.Int64
}

// Accept implements net.Listener.
func (n *memoryNetwork) Accept() (net.Conn, error) {
	select {
	case conn := <-n.accepted:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (n *memoryNetwork) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr implements net.Listener. Nothing listens there, and no proxy is asked
// for it.
func (n *memoryNetwork) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
}

// dial connects, or is refused as by a port on which nobody listens.
func (n *memoryNetwork) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case n.accepted <- far:
		n.dialed.Add(1)
		return near, nil
	case <-n.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: n.Addr(), Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// carry makes a client's own transport use the network.
func (n *memoryNetwork) carry() appwrite.Option {
	return appwrite.WithWrappedTransport(func(base http.RoundTripper) http.RoundTripper {
		own, _ := base.(*http.Transport)
		through := own.Clone()
		through.DialContext = n.dial
		return through
	})
}

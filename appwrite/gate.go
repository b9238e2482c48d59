package appwrite

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// gatedConn asks the guards of a request once more when its bytes are handed
// over to the connection. Between the guards' first answer and that moment lie a
// connection to be made and instructions in which a process can be paused for
// any time: a closed laptop, a stopped process.
type gatedConn struct {
	net.Conn
	gate *atomic.Pointer[func() error]
}

// Write implements net.Conn. Nothing is written when the gate is closed.
func (c gatedConn) Write(p []byte) (int, error) {
	if check := c.gate.Load(); check != nil {
		if err := (*check)(); err != nil {
			return 0, refusal{err}
		}
	}
	return c.Conn.Write(p)
}

// dial makes connections that can be gated.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

func (d dial) gated() dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return gatedConn{conn, new(atomic.Pointer[func() error])}, nil
	}
}

// gate puts a check before every byte of one request, nil for one that changes
// nothing. It stands until the connection is given to the next request: bytes
// leave a buffer after net/http has said that they are written. Where a
// connection carries several requests at once (HTTP/2), or is not ours, the
// guards have been asked before the request, and that is all.
func gate(trace *httptrace.ClientTrace, check func() error) {
	got := trace.GotConn
	trace.GotConn = func(info httptrace.GotConnInfo) {
		got(info)
		conn := gatedUnder(info.Conn)
		switch {
		case conn == nil:
		case check == nil:
			conn.gate.Store(nil)
		default:
			conn.gate.Store(&check)
		}
	}
}

// gatedUnder finds our connection, nil where there is none or where it is shared.
func gatedUnder(conn net.Conn) *gatedConn {
	if secure, ok := conn.(*tls.Conn); ok {
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			return nil
		}
		conn = secure.NetConn()
	}
	if gated, ok := conn.(gatedConn); ok {
		return &gated
	}
	return nil
}

package appwrite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Option changes a client while it is made. Options fail at once when what
// they are given makes no sense.
type Option func(*Client) error

// WithTimeout bounds each attempt, from connecting to the last byte of the
// answer. The default is DefaultTimeout.
func WithTimeout(attempt time.Duration) Option {
	return func(c *Client) error {
		if attempt <= 0 {
			return fmt.Errorf("the timeout %v is not positive", attempt)
		}
		c.timeout = attempt
		return nil
	}
}

// WithWait bounds how long WaitAvailable and WaitGone wait without seeing
// anything change. The default is DefaultWait.
func WithWait(atMost time.Duration) Option {
	return func(c *Client) error {
		if atMost <= 0 {
			return fmt.Errorf("the wait %v is not positive", atMost)
		}
		c.waitFor = atMost
		return nil
	}
}

// WithTransport sends requests through base instead of a transport of our own.
func WithTransport(base http.RoundTripper) Option {
	return func(c *Client) error {
		if base == nil {
			return errors.New("the transport is nil")
		}
		c.base = base
		return nil
	}
}

// WithWrappedTransport sends requests through what wrap makes of the transport
// in use, such as one that looks at what passes.
func WithWrappedTransport(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *Client) error {
		c.base = wrap(c.base)
		return nil
	}
}

// WithResponseFormat asks for answers as an older server would give them. The
// default is the format of the server's own version.
func WithResponseFormat(version string) Option {
	return func(c *Client) error {
		if _, err := parseVersion(version); err != nil {
			return err
		}
		c.format = version
		return nil
	}
}

// WithDialect fixes the dialect. The default follows from the server's version.
func WithDialect(dialect Dialect) Option {
	return func(c *Client) error {
		if dialect != DialectDatabases && dialect != DialectTablesDB {
			return fmt.Errorf("unknown dialect %q", dialect)
		}
		c.dialect = dialect
		return nil
	}
}

// WithLogger logs each request at debug level, without bodies, queries and
// headers. The default logs nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *Client) error {
		if logger == nil {
			return errors.New("the logger is nil")
		}
		c.logger = logger
		return nil
	}
}

// WithResponseLimit bounds the size of an answer; a larger one is ErrTooLarge.
// The default is MaxResponseBytes. Walk asks for smaller pages then.
func WithResponseLimit(bytes int64) Option {
	return func(c *Client) error {
		if bytes <= 0 {
			return fmt.Errorf("the response limit %d is not positive", bytes)
		}
		c.maxResponse = bytes
		return nil
	}
}

// WithClock replaces the time that waiting goes by.
func WithClock(clock Clock) Option {
	return func(c *Client) error {
		if clock == nil {
			return errors.New("the clock is nil")
		}
		c.clock = clock
		return nil
	}
}

// WithGuard has guard called before every request that can change anything;
// when it fails, nothing is sent and the call fails with ErrGuard and its error. Guards add
// up: all of them are asked.
func WithGuard(guard func(context.Context) error) Option {
	return func(c *Client) error {
		if guard == nil {
			return errors.New("the guard is nil")
		}
		c.guards = append(c.guards, guard)
		return nil
	}
}

// WithObserver has observe called after every attempt. It may be called from
// several goroutines at once and must not block.
func WithObserver(observe func(Exchange)) Option {
	return func(c *Client) error {
		if observe == nil {
			return errors.New("the observer is nil")
		}
		c.observe = observe
		return nil
	}
}

// WithReadOnly makes every request that could change anything fail with
// ErrReadOnly before it is sent.
func WithReadOnly() Option {
	return func(c *Client) error {
		c.readOnly = true
		return nil
	}
}

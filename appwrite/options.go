package appwrite

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// WithTimeout bounds each attempt, from connecting to the last byte of the
// answer. The default is DefaultTimeout.
func WithTimeout(attempt time.Duration) Option { return func(*Client) error { return errStub } }

// WithTransport sends requests through base instead of a transport of our own.
func WithTransport(base http.RoundTripper) Option { return func(*Client) error { return errStub } }

// WithResponseFormat asks for another response format than the server's own.
func WithResponseFormat(version string) Option { return func(*Client) error { return errStub } }

// WithLogger logs each request at debug level. The default logs nothing.
func WithLogger(logger *slog.Logger) Option { return func(*Client) error { return errStub } }

// WithGuard has guard called before every request that can change anything;
// when it fails, nothing is sent.
func WithGuard(guard func(context.Context) error) Option {
	return func(*Client) error { return errStub }
}

// WithReadOnly makes every request that could change anything fail with ErrReadOnly.
func WithReadOnly() Option { return func(*Client) error { return errStub } }

// WithDialect fixes the dialect instead of taking it from the server's version.
func WithDialect(dialect Dialect) Option { return func(*Client) error { return errStub } }

package appwritetest

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Option configures a server when it is made.
type Option func(*options) error

type options struct {
	version string
	backend profile.Backend
	addr    string
	project string
	key     string
	data    string
	delay   Delay
	latency Delay
	clock   func() time.Time
	logger  *slog.Logger
}

func defaults() options {
	return options{
		version: profile.Latest,
		addr:    "127.0.0.1:0",
		project: "test",
		clock:   time.Now,
		logger:  slog.New(slog.DiscardHandler),
	}
}

// ErrVersion is a version that the server cannot behave as.
var ErrVersion = profile.ErrVersion

// Version is the Appwrite version to behave as, from "1.7.0" to "1.9.6"; the
// latter is the default. New and Start report ErrVersion for any other.
func Version(version string) Option {
	return func(o *options) error {
		o.version = version
		return nil
	}
}

// Comparison is how the storage under a real server compares text.
type Comparison = profile.Backend

const (
	// MariaDB compares ids, keys and unique values without regard to case and
	// accents. It is the default.
	MariaDB = profile.MariaDB
	// Exact compares them byte by byte, as PostgreSQL and MongoDB do.
	Exact = profile.Exact
)

// Backend chooses the storage to behave like.
func Backend(comparison Comparison) Option {
	return func(o *options) error {
		if comparison != MariaDB && comparison != Exact {
			return fmt.Errorf("unknown backend %d", comparison)
		}
		o.backend = comparison
		return nil
	}
}

// Addr is the TCP address to listen on. The default is a free port of the
// loopback interface.
func Addr(address string) Option {
	return func(o *options) error {
		o.addr = address
		return nil
	}
}

// Project is the id of the only project served, "test" by default.
func Project(id string) Option {
	return func(o *options) error {
		if id == "" {
			return errors.New("the project id is empty")
		}
		o.project = id
		return nil
	}
}

// Key is the secret of the API key with every scope. By default each server
// draws one.
func Key(secret string) Option {
	return func(o *options) error {
		if secret == "" {
			return errors.New("the key is empty")
		}
		o.key = secret
		return nil
	}
}

// Data keeps everything in an SQLite file, made if it is missing. By default a
// server forgets everything when it is closed.
func Data(file string) Option {
	return func(o *options) error {
		if file == "" {
			return errors.New("the data file has no name")
		}
		o.data = file
		return nil
	}
}

// WorkerDelay is how long each asynchronous job waits before it runs. By
// default there is no wait, but the job is asynchronous all the same.
func WorkerDelay(delay Delay) Option {
	return func(o *options) error {
		o.delay = delay
		return nil
	}
}

// Latency is how long each request waits before it is looked at; none by
// default.
func Latency(delay Delay) Option {
	return func(o *options) error {
		o.latency = delay
		return nil
	}
}

// Clock replaces the time that records, attributes and transactions get. It
// must be safe for concurrent use. Delays run by the real clock.
func Clock(now func() time.Time) Option {
	return func(o *options) error {
		if now == nil {
			return errors.New("the clock is nil")
		}
		o.clock = now
		return nil
	}
}

// Logger receives panics and other mishaps of the server itself. By default
// they are not logged; New fails the test on a panic in any case.
func Logger(logger *slog.Logger) Option {
	return func(o *options) error {
		if logger == nil {
			return errors.New("the logger is nil")
		}
		o.logger = logger
		return nil
	}
}

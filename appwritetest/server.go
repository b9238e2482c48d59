package appwritetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/documents"
	"github.com/backstep-dev/backstep/appwritetest/internal/health"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/schema"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

// Server is a running Appwrite server. Make one with New or Start.
type Server struct {
	options options
	profile profile.Profile
	api     *api.Server
	handler http.Handler
	worker  *Worker
	data    *data
	faults  *faults

	panics    atomic.Int64
	lastPanic atomic.Value // string

	listener net.Listener
	http     *http.Server
	served   chan error // receives once, when the listener is done
	close    sync.Once
	closeErr error
}

// New starts a server for a test and closes it when the test ends. The test
// fails at once if the server cannot start, and in the end if it panicked.
func New(t TB, opts ...Option) *Server {
	t.Helper()
	srv, err := start(context.Background(), opts)
	if err != nil {
		t.Fatalf("appwritetest: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		if err := srv.Close(); err != nil {
			t.Fatalf("appwritetest: close: %v", err)
		}
		if srv.panics.Load() > 0 {
			t.Fatalf("appwritetest: the server panicked %d times, the last: %v", srv.panics.Load(), srv.lastPanic.Load())
		}
	})
	return srv
}

// Start starts a server that the caller closes. ctx bounds the start only.
func Start(ctx context.Context, opts ...Option) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return start(ctx, opts)
}

func start(ctx context.Context, opts []Option) (*Server, error) {
	o := defaults()
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.key == "" {
		o.key = secret()
	}
	p, err := profile.For(o.version, o.backend)
	if err != nil {
		return nil, err
	}
	srv := &Server{options: o, profile: p, served: make(chan error, 1)}
	if err := srv.assemble(ctx); err != nil {
		return nil, err
	}
	if err := srv.listen(ctx); err != nil {
		return nil, errors.Join(err, srv.data.close())
	}
	srv.worker.queue.Start(context.WithoutCancel(ctx))
	return srv, nil
}

// assemble puts the rooms together.
func (s *Server) assemble(ctx context.Context) error {
	held, err := openData(ctx, s.options.data, s.profile)
	if err != nil {
		return err
	}
	s.data = held
	lock := &sync.RWMutex{}
	var schemas *catalog.Catalog
	queue := worker.New(worker.Config{Run: func(job worker.Job, verdict worker.Verdict) {
		lock.Lock()
		defer lock.Unlock()
		defer s.survive(job)
		schemas.Run(job, verdict)
	}})
	schemas = catalog.New(catalog.Config{
		Profile: s.profile, Now: s.options.clock, Enqueue: queue.Add,
		Store: held.records, Shelf: held.keep(), Logger: s.options.logger,
	})
	if err := schemas.Load(ctx); err != nil {
		return errors.Join(err, held.close())
	}
	transactions, err := tx.NewLog(ctx, s.options.clock, held.keep())
	if err != nil {
		return errors.Join(err, held.close())
	}
	s.worker = newWorker(queue, s.options.delay)
	s.api = api.New(api.Config{
		Profile: s.profile, Project: s.options.project, Key: s.options.key,
		Lock: lock, Logger: s.options.logger, OnPanic: s.panicked,
	}, s.routes(schemas, transactions)...)
	s.faults = newFaults(api.Prefix, s.profile.Version)
	s.handler = s.faults.wrap(limited(s.slowed(s.api)))
	return nil
}

// routes collects what the rooms serve.
func (s *Server) routes(schemas *catalog.Catalog, transactions *tx.Log) []api.Route {
	records := documents.New(documents.Config{
		Profile: s.profile, Catalog: schemas, Store: s.data.records, Transactions: transactions, Now: s.options.clock,
	})
	return slices.Concat(
		schema.New(schemas).Routes(),
		saving(transactions, records.Routes()),
		saving(transactions, tx.NewRoom(transactions, records, s.profile).Routes()),
		health.Routes(s.worker.QueueSize),
	)
}

// saving makes routes keep what they have done to transactions, also when they
// fail.
func saving(transactions *tx.Log, routes []api.Route) []api.Route {
	for i, route := range routes {
		routes[i].Handle = func(req *api.Request) (api.Response, error) {
			response, err := route.Handle(req)
			if route.Access != api.Write {
				return response, err
			}
			return response, errors.Join(err, transactions.Save())
		}
	}
	return routes
}

// survive keeps a job that panics from taking the process along. It is to be
// deferred.
func (s *Server) survive(job worker.Job) {
	if recovered := recover(); recovered != nil {
		s.options.logger.Error("a job panicked", "job", job, "panic", fmt.Sprint(recovered), "stack", string(debug.Stack()))
		s.panicked(recovered)
	}
}

func (s *Server) panicked(recovered any) {
	s.panics.Add(1)
	s.lastPanic.Store(fmt.Sprint(recovered))
}

func (s *Server) listen(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.options.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.listener = listener
	s.http = &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute}
	go func() { s.served <- s.http.Serve(listener) }()
	return nil
}

// Close stops the listener and the worker, drops open connections, and waits
// for all of them. Jobs that are still queued are kept when there is a data
// file. It may be called more than once.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.faults.close()
		err := s.http.Close()
		if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		s.faults.wait()
		s.worker.queue.Stop()
		s.closeErr = errors.Join(err, s.data.close())
	})
	return s.closeErr
}

// Endpoint is the base URL for clients, such as "http://127.0.0.1:40123/v1".
func (s *Server) Endpoint() string { return "http://" + s.listener.Addr().String() + api.Prefix }

// Project is the id of the project.
func (s *Server) Project() string { return s.options.project }

// Key is the secret of the API key with every scope.
func (s *Server) Key() string { return s.options.key }

// Version is the Appwrite version the server behaves as.
func (s *Server) Version() string { return s.profile.Version }

// Handler is the server without its listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Worker controls the asynchronous part of the server.
func (s *Server) Worker() *Worker { return s.worker }

// Inject makes requests fail from now on, as the fault says.
func (s *Server) Inject(fault Fault) *Injection { return s.faults.inject(fault) }

// AddKey makes a key that holds only the scopes given, and returns its secret.
func (s *Server) AddKey(scopes ...string) string {
	key := secret()
	s.api.AddKey(api.Key{Secret: key, Scopes: append([]string{}, scopes...)})
	return key
}

// ExpiredKey makes a key that has expired, and returns its secret.
func (s *Server) ExpiredKey() string {
	key := secret()
	s.api.AddKey(api.Key{Secret: key, Expired: true})
	return key
}

// slowed adds the latency option to a handler.
func (s *Server) slowed(next http.Handler) http.Handler {
	if s.options.latency == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(s.options.latency(0))
		defer timer.Stop()
		select {
		case <-timer.C:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// secret draws the secret of a key in the server's form.
func secret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return "standard_" + hex.EncodeToString(random)
}

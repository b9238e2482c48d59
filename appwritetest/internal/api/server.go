package api

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Prefix is the path every route lives under.
const Prefix = "/v1"

// Config is what a Server needs; every field is required.
type Config struct {
	Profile profile.Profile
	Project string
	Key     string        // holds every scope
	Lock    *sync.RWMutex // guards the whole project, shared with the worker
	Logger  *slog.Logger
	// OnPanic is told of every panic in a handler, after it was logged.
	OnPanic func(recovered any)
}

// Server is an http.Handler over routes.
type Server struct {
	config Config
	router router

	keysLock sync.RWMutex
	keys     map[string]Key
}

// New returns a server for the routes that the profile's version has.
func New(config Config, routes ...Route) *Server {
	s := &Server{config: config, keys: map[string]Key{}}
	s.AddKey(Key{Secret: config.Key})
	for _, route := range routes {
		if route.When != nil && !route.When(config.Profile) {
			continue
		}
		if route.Only != TablesDB {
			s.router.add(route, Legacy)
		}
		if route.Only != Legacy && config.Profile.TablesDB() {
			s.router.add(route, TablesDB)
		}
	}
	return s
}

// AddKey makes another key known.
func (s *Server) AddKey(key Key) {
	s.keysLock.Lock()
	defer s.keysLock.Unlock()
	s.keys[key.Secret] = key
}

func (s *Server) key(secret string) (Key, bool) {
	s.keysLock.RLock()
	defer s.keysLock.RUnlock()
	key, ok := s.keys[secret]
	return key, ok
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), Prefix)
	if r.Method == http.MethodOptions {
		s.write(w, r, NoContent())
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var e *endpoint
	var values []string
	if ok {
		e, values = s.router.find(method, path)
	}
	if e == nil {
		s.routeNotFound(w, r)
		return
	}
	response, err := s.serve(r, e, values)
	if err != nil {
		s.writeError(w, r, e.dialect, err)
		return
	}
	s.write(w, r, response)
}

// serve runs steps 2 to 7 of the package's contract, apart from encoding.
func (s *Server) serve(r *http.Request, e *endpoint, values []string) (response Response, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			if recovered == http.ErrAbortHandler { //nolint:errorlint // net/http compares it like this too
				panic(recovered)
			}
			s.config.Logger.Error("a handler panicked", "method", r.Method, "path", r.URL.Path,
				"panic", fmt.Sprint(recovered), "stack", string(debug.Stack()))
			s.config.OnPanic(recovered)
			err = apierr.New(http.StatusInternalServerError, "general_server_error", "Server Error")
		}
	}()
	payload, err := payload(r)
	if err != nil {
		return Response{}, err
	}
	caller, err := s.authorize(r, e)
	if err != nil {
		return Response{}, err
	}
	for i, name := range e.names {
		payload.Set(e.dialect.Word(name), values[i])
	}
	request := &Request{HTTP: r, Dialect: e.dialect, Profile: s.config.Profile, Caller: caller}
	if err := request.validate(e.Params, payload); err != nil {
		return Response{}, err
	}
	defer s.lock(e.Access)()
	return e.Handle(request)
}

func (s *Server) lock(access Access) (unlock func()) {
	switch access {
	case Read:
		s.config.Lock.RLock()
		return s.config.Lock.RUnlock
	case Write:
		s.config.Lock.Lock()
		return s.config.Lock.Unlock
	default:
		return func() {}
	}
}

func (s *Server) routeNotFound(w http.ResponseWriter, r *http.Request) {
	if !s.config.Profile.AtLeast(1, 9, 0) {
		s.writeError(w, r, Legacy, apierr.NotFound("general_route_not_found", "The requested route was not found."))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html><head><title>Not Found</title></head><body><h1>404 Not Found</h1></body></html>\n"))
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, response Response) {
	maps.Copy(w.Header(), response.Header)
	if response.Status == http.StatusNoContent {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, media := []byte(response.Text), "text/plain; charset=UTF-8"
	if response.Text == "" {
		body, media = phpjson.Encode(response.Body), "application/json; charset=UTF-8"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(response.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that left needs no answer
	}
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, d Dialect, err error) {
	var refusal *apierr.Error
	if !errors.As(err, &refusal) {
		s.config.Logger.Error("a handler failed", "method", r.Method, "path", r.URL.Path, "error", err)
		refusal = apierr.Unknown("Server Error")
	}
	status, message := refusal.Status, refusal.Message
	if !public(status) {
		status, message = http.StatusInternalServerError, "Server Error"
	}
	body := phpjson.Obj("message", message, "code", status)
	if refusal.Type != "" {
		body.Set("type", d.ErrorType(refusal))
	}
	body.Set("version", s.config.Profile.Version)
	s.write(w, r, Response{Status: status, Body: body})
}

// public says whether a status reaches the client; others become 500.
func public(status int) bool {
	switch status {
	case 400, 401, 402, 403, 404, 405, 408, 409, 412, 416, 422, 429, 451, 501, 503:
		return true
	}
	return false
}

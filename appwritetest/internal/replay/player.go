package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Server is the server under test.
type Server interface {
	Endpoint() string
	Project() string
	Key() string // holds every scope
	AddKey(scopes ...string) string
}

// Worker is the asynchronous half of the server under test.
type Worker interface {
	Pause()
	Resume()
	Idle(ctx context.Context) error // waits until no job is queued
}

// Player plays recordings. One player plays one recording at a time, against a
// server that holds nothing yet.
type Player struct {
	Server Server
	Worker Worker
	Clock  *Clock
	HTTP   *http.Client
}

var (
	waitNote    = regexp.MustCompile(`the next line comes (\d+) seconds later`)
	limitedNote = regexp.MustCompile(`key with only (.+)`)
	schemaPath  = regexp.MustCompile(`/(attributes|columns|indexes)(/|$)`)

	// The recorder masked a $sequence in a query as text even where it had
	// been sent as a number; the note says so.
	quotedSequence = regexp.MustCompile(`%22(<seq:[^>]+>)%22`)
)

// tick is how far the clock moves with each exchange: enough to tell the times
// of two writes apart.
const tick = 10 * time.Millisecond

// session is the state of one recording being played.
type session struct {
	*Player
	rec      Recording
	bindings *bindings
	keys     map[string]string // scopes of a limited key -> the key
	updated  map[string]string // record id -> $updatedAt last seen
	created  map[string]bool   // paths of the databases there now
	paused   bool
}

// Play sends every request of rec in order and returns the exchanges that were
// answered otherwise. The error is for a server that cannot be talked to.
func (p *Player) Play(ctx context.Context, rec Recording) ([]Mismatch, error) {
	s := &session{
		Player: p, rec: rec, bindings: newBindings(),
		keys: make(map[string]string), updated: make(map[string]string), created: make(map[string]bool),
	}
	var mismatches []Mismatch
	for i, exchange := range rec.Exchanges {
		diffs, err := s.play(ctx, i)
		if err != nil {
			return mismatches, fmt.Errorf("%s line %d: %w", rec.Name(), i+1, err)
		}
		if len(diffs) > 0 {
			mismatches = append(mismatches, Mismatch{Line: i + 1, Exchange: exchange, Diffs: diffs})
		}
	}
	return mismatches, nil
}

func (s *session) play(ctx context.Context, i int) ([]string, error) {
	exchange := s.rec.Exchanges[i]
	s.Clock.Advance(tick)
	if err := s.steerWorker(ctx, i); err != nil {
		return nil, err
	}
	if err := s.deleteUnrecorded(ctx, exchange); err != nil {
		return nil, err
	}
	status, got, err := s.send(ctx, exchange)
	if err != nil {
		return nil, err
	}
	want, err := decode(exchange.Response.Body)
	if err != nil {
		return nil, fmt.Errorf("recorded body: %w", err)
	}
	c := &comparison{bindings: s.bindings, now: s.Clock.Now()}
	got = applyNote(exchange.Note, want, got)
	if status == exchange.Response.Status {
		c.compare("body", want, got)
		s.checkUpdatedAt(c, exchange.Note, got)
	} else {
		c.differ("status", "want %d %s, got %d %s", exchange.Response.Status, show(want), status, show(got))
	}
	if wait := waitNote.FindStringSubmatch(exchange.Note); wait != nil {
		seconds, err := strconv.Atoi(wait[1])
		if err != nil {
			return nil, err
		}
		s.Clock.Advance(time.Duration(seconds) * time.Second)
	}
	return c.diffs, nil
}

// steerWorker freezes the worker where a "paused" scenario leaves a schema
// change unawaited, and lets it finish before every awaited exchange.
func (s *session) steerWorker(ctx context.Context, i int) error {
	exchange := s.rec.Exchanges[i]
	if exchange.Await != nil {
		if s.paused {
			s.Worker.Resume()
			s.paused = false
		}
		return s.Worker.Idle(ctx)
	}
	asynchronous := exchange.Response.Status == http.StatusAccepted || exchange.Response.Status == http.StatusNoContent
	awaited := i+1 < len(s.rec.Exchanges) && s.rec.Exchanges[i+1].Await != nil
	if strings.HasPrefix(s.rec.Scenario, "paused_") && !s.paused && asynchronous && !awaited &&
		schemaPath.MatchString(exchange.Request.Path) {
		if err := s.Worker.Idle(ctx); err != nil {
			return err
		}
		s.Worker.Pause()
		s.paused = true
	}
	return nil
}

// send returns the status and the body: decoded JSON, the text of anything else,
// or nil for none.
func (s *session) send(ctx context.Context, exchange Exchange) (int, any, error) {
	request, err := s.request(ctx, exchange)
	if err != nil {
		return 0, nil, err
	}
	response, err := s.HTTP.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err
	}
	switch {
	case len(body) == 0:
		return response.StatusCode, nil, nil
	case strings.Contains(response.Header.Get("Content-Type"), "json"):
		value, err := decode(body)
		return response.StatusCode, value, err
	default:
		return response.StatusCode, string(body), nil
	}
}

func (s *session) request(ctx context.Context, exchange Exchange) (*http.Request, error) {
	var body []byte
	switch recorded := exchange.Request; {
	case recorded.RawBody != nil:
		body = []byte(*recorded.RawBody)
	case string(recorded.Body) != "null":
		body = s.bindings.inBody(recorded.Body)
	}
	endpoint, err := url.Parse(s.Server.Endpoint())
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, exchange.Request.Method, endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	// Opaque sends the recorded bytes of the path, however they are escaped.
	path := exchange.Request.Path
	if strings.Contains(exchange.Note, "given as a number") {
		path = quotedSequence.ReplaceAllString(path, "$1")
	}
	request.URL.Opaque = endpoint.Path + s.bindings.inPath(path)
	request.Header.Set("X-Appwrite-Project", s.Server.Project())
	request.Header.Set("X-Appwrite-Key", s.Server.Key())
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range exchange.Request.Headers {
		switch {
		case value == nil:
			request.Header.Del(name)
		case *value == "<limited>":
			key, err := s.limitedKey(exchange.Note)
			if err != nil {
				return nil, err
			}
			request.Header.Set(name, key)
		default:
			request.Header.Set(name, s.bindings.inPath(*value))
		}
	}
	return request, nil
}

// limitedKey makes one key for each set of scopes that a note names.
func (s *session) limitedKey(note string) (string, error) {
	named := limitedNote.FindStringSubmatch(note)
	if named == nil {
		return "", fmt.Errorf("no scopes in the note %q", note)
	}
	key, ok := s.keys[named[1]]
	if !ok {
		scopes, _, _ := strings.Cut(named[1], ";")
		key = s.Server.AddKey(strings.Split(scopes, ", ")...)
		s.keys[named[1]] = key
	}
	return key, nil
}

func decode(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

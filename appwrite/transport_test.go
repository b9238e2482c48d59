package appwrite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/appwrite/sdk-for-go/query"
	"github.com/appwrite/sdk-for-go/tablesdb"

	"github.com/backstep-dev/backstep/appwrite"
)

const emptyList = `{"total":0,"databases":[],"tables":[],"rows":[],"columns":[],"indexes":[]}`

// hanging answers only when the test or the client is done.
func hanging(t *testing.T) (answer http.HandlerFunc, arrived chan struct{}) {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	arrived = make(chan struct{}, 100)
	return func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}, arrived
}

func TestAttemptEndsAfterItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer, _ := hanging(t)
		c := newStubInMemory(t, "1.9.6", answer).client(t, appwrite.WithTimeout(time.Minute))
		began := time.Now()
		_, err := c.ListDatabases(t.Context())
		wantIs(t, err, appwrite.ErrTimeout)
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("it took %v, want a minute", waited)
		}
		if got := appwrite.Classify(err); got != appwrite.Transient {
			t.Errorf("a read that timed out is %v, want transient", got)
		}
		_, err = c.CreateDatabase(t.Context(), appwrite.Database{ID: "x", Name: "X"})
		wantIs(t, err, appwrite.ErrTimeout)
		if got := appwrite.Classify(err); got != appwrite.Ambiguous {
			t.Errorf("a write that timed out is %v, want ambiguous", got)
		}
	})
}

func TestSlowBodyEndsAfterTheTimeoutToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang, arrived := hanging(t)
		s := newStubInMemory(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"total":`))
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		})
		_, err := s.client(t, appwrite.WithTimeout(time.Minute)).ListDatabases(t.Context())
		wantIs(t, err, appwrite.ErrTimeout)
		if len(arrived) != 1 {
			t.Errorf("%d bodies were begun, want 1", len(arrived))
		}
	})
}

func TestCancellingEndsACall(t *testing.T) {
	t.Parallel()
	answer, arrived := hanging(t)
	s := newStub(t, "1.9.6", answer)
	c := s.client(t)
	if _, err := c.Detect(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	err := c.DeleteDatabase(ctx, "x")
	wantIs(t, err, context.Canceled)
	if got := appwrite.Classify(err); got != appwrite.Ambiguous {
		t.Errorf("a write that was cancelled under way is %v, want ambiguous", got)
	}
	before := len(s.received())
	err = c.DeleteDatabase(ctx, "x")
	wantIs(t, err, context.Canceled)
	if got := appwrite.Classify(err); got != appwrite.Permanent || len(s.received()) != before {
		t.Errorf("a call under a cancelled context is %v and sent %d requests", got, len(s.received())-before)
	}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // net/http gives up a connection that is slow to become free
		s := newStubInMemory(t, "1.9.6", always(http.StatusNotFound, `{"message":"no","code":404,"type":"database_not_found","version":"1.9.6"}`))
		c := s.client(t)
		for range 50 {
			_ = c.DeleteDatabase(t.Context(), "x") // an answer with a body
		}
		if n := s.network.dialed.Load(); n != 1 {
			t.Errorf("50 calls in a row took %d connections, want 1", n)
		}
		const together = 16
		for range 20 {
			var wg sync.WaitGroup
			for range together {
				wg.Go(func() { _ = c.DeleteDatabase(t.Context(), "x") })
			}
			wg.Wait()
		}
		if n := s.network.dialed.Load(); n > 2*together {
			t.Errorf("20 rounds of %d calls took %d connections", together, n)
		}
		if n := len(s.received()); n != 50+20*together {
			t.Errorf("%d calls arrived", n)
		}
	})
}

func TestUnreachableServerWasNotSentAnything(t *testing.T) {
	t.Parallel()
	s := newStubInMemory(t, "1.9.6", always(http.StatusOK, emptyList))
	c := s.client(t)
	if _, err := c.Detect(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	c.Close() // what was written to an idle connection may have been read
	err := c.DeleteDatabase(t.Context(), "x")
	var broken *appwrite.TransportError
	if !errors.As(err, &broken) || broken.Sent {
		t.Fatalf("got %v (%+v)", err, broken)
	}
	if got := appwrite.Classify(err); got != appwrite.Transient {
		t.Errorf("a refused connection is %v, want transient", got)
	}
}

func TestDroppedConnectionAfterAWriteIsAmbiguous(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	})
	c := s.client(t)
	_, err := c.CreateDatabase(t.Context(), appwrite.Database{ID: "x", Name: "X"})
	if got := appwrite.Classify(err); got != appwrite.Ambiguous {
		t.Errorf("%v is %v, want ambiguous", err, got)
	}
	if n := len(s.received()); n != 1 {
		t.Errorf("the write was sent %d times", n)
	}
}

func TestRequestsBeyondTheLimitsAreNotSent(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	c := s.client(t)
	for name, call := range map[string]func() error{
		"body over 11 MiB": func() error {
			_, err := c.CreateDocument(t.Context(), "d", "c", appwrite.Document{ID: "x", Data: map[string]any{"s": strings.Repeat("x", appwrite.MaxRequestBytes)}})
			return err
		},
		"query over 4096 characters": func() error {
			_, err := c.ListDocuments(t.Context(), "d", "c", query.Equal("s", strings.Repeat("é", appwrite.MaxQueryChars)))
			return err
		},
		"more than 100 queries": func() error {
			_, err := c.ListDocuments(t.Context(), "d", "c", make([]string, 101)...)
			return err
		},
		"URL beyond what a server reads": func() error {
			long := make([]string, 40)
			for i := range long {
				long[i] = query.Equal("s", strings.Repeat("x", 4000))
			}
			_, err := c.ListDocuments(t.Context(), "d", "c", long...)
			return err
		},
		"more than 100 documents": func() error {
			_, err := c.CreateDocuments(t.Context(), "d", "c", make([]appwrite.Document, 101))
			return err
		},
	} {
		err := call()
		if !errors.Is(err, appwrite.ErrTooLarge) || appwrite.Classify(err) != appwrite.Permanent {
			t.Errorf("%s: got %v, a %v error", name, err, appwrite.Classify(err))
		}
	}
	if n := len(s.received()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := c.ListDocuments(t.Context(), "d", "c", query.Equal("s", strings.Repeat("é", 4000))); err != nil {
		t.Errorf("4,000 characters in 8,000 bytes: %v", err)
	}
}

func TestTextThatIsNotUTF8IsNotSent(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	_, err := s.client(t).CreateDocument(t.Context(), "d", "c", appwrite.Document{ID: "x", Data: map[string]any{"s": []any{"ok", "\xff"}}})
	wantIs(t, err, appwrite.ErrInvalid)
	if n := len(s.received()); n != 0 {
		t.Errorf("%d requests were sent: encoding/json would have changed the text", n)
	}
}

func TestAnswerBeyondTheLimitIsCutOff(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, `{"databases":[{"$id":"`+strings.Repeat("x", 5000)+`"}]}`)
	})
	_, err := s.client(t, appwrite.WithResponseLimit(4096)).ListDatabases(t.Context())
	wantIs(t, err, appwrite.ErrTooLarge)
}

func TestKeyIsNeverSentToAnotherHost(t *testing.T) {
	t.Parallel()
	var followed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/"+marker, http.StatusTemporaryRedirect)
	})
	for _, call := range []func(*appwrite.Client) error{
		func(c *appwrite.Client) error { _, err := c.ListDatabases(t.Context()); return err },
		func(c *appwrite.Client) error { return c.DeleteDatabase(t.Context(), "x") },
		func(c *appwrite.Client) error { _, err := tablesdb.New(c.SDK(t.Context())).Delete("x"); return err },
	} {
		err := call(s.client(t))
		if err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	if n := followed.Load(); n != 0 {
		t.Errorf("%d redirects were followed, with the key", n)
	}
}

func TestKeyIsInNoErrorLogOrPrint(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := newStubInMemory(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			reply(w, http.StatusUnauthorized, `{"message":"bad key `+r.Header.Get("X-Appwrite-Key")+`","code":401,"type":"user_unauthorized"}`)
		case http.MethodPost:
			w.WriteHeader(http.StatusBadGateway) // HTML that shows the request
			_, _ = fmt.Fprintf(w, "<pre>%v</pre>", r.Header)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, "%v", r.Header)
		}
	})
	c := s.client(t, appwrite.WithLogger(logger))
	var texts []string
	note := func(err error) {
		if err == nil {
			t.Error("a call did not fail")
			return
		}
		texts = append(texts, err.Error(), fmt.Sprintf("%+v %#v", err, err))
	}
	_, err := c.ListDatabases(t.Context())
	note(err)
	_, err = c.CreateDatabase(t.Context(), appwrite.Database{ID: "x"})
	note(err)
	_, err = c.UpdateDatabase(t.Context(), appwrite.Database{ID: "x"})
	note(err)
	s.Close()
	note(c.DeleteDatabase(t.Context(), "x"))
	_, err = appwrite.New(appwrite.Config{Endpoint: "http://h/v1", Project: "p", Key: marker + "\n"})
	note(err)
	for _, v := range []any{c, s.config(), struct{ C *appwrite.Client }{c}, struct{ C appwrite.Config }{s.config()}} {
		texts = append(texts, fmt.Sprint(v), fmt.Sprintf("%+v %#v %s %q %x", v, v, v, v, v))
	}
	for _, v := range []any{*c, struct{ c *appwrite.Client }{c}} { // where Format cannot be called
		texts = append(texts, fmt.Sprint(v), fmt.Sprintf("%+v %#v", v, v))
	}
	logger.Info("made", "client", c, "config", s.config())
	texts = append(texts, logs.String())
	for _, text := range texts {
		if strings.Contains(text, marker) || strings.Contains(text, fmt.Sprintf("%x", marker)) {
			t.Errorf("the key is in %q", text)
		}
	}
	if !strings.Contains(logs.String(), `"path":"/tablesdb"`) {
		t.Errorf("the requests are not logged: %s", logs.String())
	}
}

func TestReadOnlyClientWritesNothing(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	c := s.client(t, appwrite.WithReadOnly())
	err := c.DeleteDatabase(t.Context(), "x")
	wantIs(t, err, appwrite.ErrReadOnly)
	if got := appwrite.Classify(err); got != appwrite.Permanent {
		t.Errorf("the refusal is %v", got)
	}
	_, err = tablesdb.New(c.SDK(t.Context())).Create("x", "X")
	wantIs(t, err, appwrite.ErrReadOnly)
	if n := len(s.received()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := c.ListDatabases(t.Context()); err != nil {
		t.Errorf("reading: %v", err)
	}
}

func TestGuardsAreAskedBeforeEveryWrite(t *testing.T) {
	t.Parallel()
	errLost := errors.New("lease lost")
	s := newStub(t, "1.9.6", always(http.StatusOK, emptyList))
	var asked, allowed atomic.Int64
	allowed.Store(4) // each write asks before it begins and before its first byte
	base := s.client(t, appwrite.WithGuard(func(context.Context) error {
		if asked.Add(1) > allowed.Load() {
			return errLost
		}
		return nil
	}))
	c, err := base.With(appwrite.WithGuard(func(context.Context) error { return nil }))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.ListDatabases(t.Context()) // asks nothing
	_ = c.DeleteDatabase(t.Context(), "x")
	_, _ = tablesdb.New(c.SDK(t.Context())).Create("x", "X")
	writes := len(s.received())
	err = c.DeleteDatabase(t.Context(), "x")
	wantIs(t, err, errLost)
	if asked.Load() != 5 || len(s.received()) != writes || writes != 3 {
		t.Errorf("asked %d times, %d requests", asked.Load(), len(s.received()))
	}
	if got := appwrite.Classify(err); got != appwrite.Permanent {
		t.Errorf("the refusal is %v", got)
	}
}

package appwrite_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// schema is what a stub shows of one collection at one moment: statuses by key,
// in the list embedded in the collection and in the attribute's own list.
type schema struct {
	embedded map[string]string
	own      map[string]string
}

// showing gives a stub that goes through moments, one for each look at the
// collections, and stays at the last.
func showing(t *testing.T, moments ...schema) (*stub, *int) {
	t.Helper()
	looks := new(int)
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		columns := func(statuses map[string]string, only string) string {
			var items []string
			for key, status := range statuses {
				if only == "" || strings.Contains(only, `"`+key+`"`) {
					items = append(items, fmt.Sprintf(`{"key":%q,"type":"boolean","status":%q,"error":"why"}`, key, status))
				}
			}
			return "[" + strings.Join(items, ",") + "]"
		}
		if strings.HasSuffix(r.URL.Path, "/columns") {
			now := moments[min(max(*looks-1, 0), len(moments)-1)]
			reply(w, http.StatusOK, `{"columns":`+columns(now.own, r.URL.Query()["queries[]"][0])+`}`)
			return
		}
		now := moments[min(*looks, len(moments)-1)]
		*looks++
		reply(w, http.StatusOK, `{"tables":[{"$id":"c","columns":`+columns(now.embedded, "")+`,"indexes":[]}]}`)
	})
	return s, looks
}

func same(statuses map[string]string) schema { return schema{statuses, statuses} }

func both(a string) map[string]string { return map[string]string{"a": a} }

func awaitingA() []appwrite.Awaited { return []appwrite.Awaited{{Collection: "c", Attribute: "a"}} }

func TestWaitingAsksSoonAndThenLessAndLess(t *testing.T) {
	t.Parallel()
	moments := make([]schema, 0, 16)
	for range 15 {
		moments = append(moments, same(both("processing")))
	}
	s, _ := showing(t, append(moments, same(both("available")))...)
	clock := newQuickClock()
	if err := s.client(t, appwrite.WithClock(clock)).WaitAvailable(t.Context(), "d", awaitingA()); err != nil {
		t.Fatal(err)
	}
	if len(clock.waits) != 15 || clock.waits[0] != 10*time.Millisecond {
		t.Fatalf("waited %v", clock.waits)
	}
	for i := 1; i < len(clock.waits); i++ {
		if clock.waits[i] < clock.waits[i-1] || clock.waits[i] > time.Second {
			t.Errorf("wait %d of %v", i, clock.waits)
		}
	}
	for _, r := range s.received() {
		if r.method != http.MethodGet || len(r.query) == 0 {
			t.Errorf("%s %s is no list query", r.method, r.path)
		}
	}
}

func TestOneRequestLooksAtEverythingAwaited(t *testing.T) {
	t.Parallel()
	var asked int
	s := newStub(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		asked++
		var tables []string
		for i := range 3 {
			id := fmt.Sprint("c", i)
			if strings.Contains(r.URL.Query()["queries[]"][0], id) {
				tables = append(tables, fmt.Sprintf(`{"$id":%q,"columns":[{"key":"a","type":"boolean","status":"available"}],"indexes":[{"key":"i","status":"available"}]}`, id))
			}
		}
		reply(w, http.StatusOK, `{"tables":[`+strings.Join(tables, ",")+`]}`)
	})
	var awaited []appwrite.Awaited
	for i := range 3 {
		awaited = append(awaited, appwrite.Awaited{Collection: fmt.Sprint("c", i), Attribute: "a"}, appwrite.Awaited{Collection: fmt.Sprint("c", i), Index: "i"})
	}
	if err := s.client(t).WaitAvailable(t.Context(), "d", awaited); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("%d requests", asked)
	}
}

func TestWaitingFailsAsSoonAsTheStatusIsFinal(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"failed", "stuck", "deleting"} {
		s, _ := showing(t, same(both("processing")), same(both(status)))
		err := s.client(t, appwrite.WithClock(newQuickClock())).WaitAvailable(t.Context(), "d", awaitingA())
		e, ok := errors.AsType[*appwrite.StatusError](err)
		if !ok || e.Status != status || e.Detail != "why" || e.Ref.Attribute != "a" {
			t.Errorf("%s: got %v", status, err)
		}
	}
	s, _ := showing(t, same(nil))
	err := s.client(t, appwrite.WithClock(newQuickClock())).WaitAvailable(t.Context(), "d", awaitingA())
	if e, ok := errors.AsType[*appwrite.StatusError](err); !ok || e.Status != "" {
		t.Errorf("not there: got %v", err)
	}
}

// The lists embedded in collections were seen to stay behind.
func TestStaleEmbeddedListsAreSeenThrough(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stays schema
		gone  bool
	}{
		"processing for ever": {stays: schema{embedded: both("processing"), own: both("available")}},
		"not there yet":       {stays: schema{embedded: nil, own: both("available")}},
		"failed before":       {stays: schema{embedded: both("failed"), own: both("available")}},
		"deleting for ever":   {stays: schema{embedded: both("deleting"), own: nil}, gone: true},
	} {
		s, _ := showing(t, test.stays)
		c := s.client(t, appwrite.WithClock(newQuickClock()))
		wait := c.WaitAvailable
		if test.gone {
			wait = c.WaitGone
		}
		if err := wait(t.Context(), "d", awaitingA()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStandstillEndsTheWait(t *testing.T) {
	t.Parallel()
	// An embedded list that disagrees with the own one is not progress.
	for name, stays := range map[string]schema{"processing": same(both("processing")), "disagreement": {embedded: nil, own: both("processing")}} {
		s, _ := showing(t, stays)
		clock := newQuickClock()
		began := clock.Now()
		err := s.client(t, appwrite.WithClock(clock), appwrite.WithWait(time.Minute)).WaitAvailable(t.Context(), "d", awaitingA())
		wantIs(t, err, appwrite.ErrStandstill)
		if e, ok := errors.AsType[*appwrite.StatusError](err); !ok || e.Status != "processing" {
			t.Errorf("%s: got %v", name, err)
		}
		if waited := clock.Now().Sub(began); waited < time.Minute || waited > time.Minute+2*time.Second {
			t.Errorf("%s: waited %v", name, waited)
		}
	}
}

func TestRemovalOfAStuckAttributeIsGivenTime(t *testing.T) {
	t.Parallel()
	s, _ := showing(t, same(both("stuck")), same(both("stuck")), same(nil))
	if err := s.client(t, appwrite.WithClock(newQuickClock())).WaitGone(t.Context(), "d", awaitingA()); err != nil {
		t.Errorf("a retried removal that works: %v", err)
	}
	s, _ = showing(t, same(both("stuck")))
	err := s.client(t, appwrite.WithClock(newQuickClock())).WaitGone(t.Context(), "d", awaitingA())
	if e, ok := errors.AsType[*appwrite.StatusError](err); !ok || e.Status != "stuck" {
		t.Errorf("a retried removal that does not: got %v", err)
	}
	s, looks := showing(t, same(both("deleting")), same(both("stuck")))
	err = s.client(t, appwrite.WithClock(newQuickClock())).WaitGone(t.Context(), "d", awaitingA())
	if e, ok := errors.AsType[*appwrite.StatusError](err); !ok || e.Status != "stuck" || *looks != 2 {
		t.Errorf("a removal that gets stuck: got %v after %d looks", err, *looks)
	}
}

func TestEverythingIsGoneWithItsDatabase(t *testing.T) {
	t.Parallel()
	s := newStub(t, "1.9.6", always(http.StatusNotFound, `{"message":"m","code":404,"type":"database_not_found"}`))
	if err := s.client(t).WaitGone(t.Context(), "d", awaitingA()); err != nil {
		t.Error(err)
	}
	err := s.client(t).WaitAvailable(t.Context(), "d", awaitingA())
	wantIs(t, err, appwrite.ErrNotFound)
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := livetest.Embedded(t, "1.9.6")
	p := newPlace(t, newClient(t, appwrite.Config{Endpoint: srv.Endpoint(), Project: srv.Project(), Key: srv.Key()}), appwrite.Server{})
	srv.Worker().Pause()
	if _, err := p.CreateAttribute(t.Context(), p.database, p.collection, appwrite.Attribute{Key: "a", Type: appwrite.TypeBoolean}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := p.WaitAvailable(ctx, p.database, []appwrite.Awaited{{Collection: p.collection, Attribute: "a"}})
	wantIs(t, err, context.DeadlineExceeded)
	if size, err := p.QueueSize(t.Context()); err != nil || size != 1 {
		t.Errorf("queue of %d, %v", size, err)
	}
	srv.Worker().Resume()
	if err := p.WaitAvailable(t.Context(), p.database, []appwrite.Awaited{{Collection: p.collection, Attribute: "a"}}); err != nil {
		t.Error(err)
	}
}

// Whether the end comes while the server is asked or between two questions.
func TestAWaitThatIsCutShortSaysWhatForAndWhy(t *testing.T) {
	t.Parallel()
	why := errors.New("the lease is lost")
	for name, moment := range map[string]int{"while asking": 2, "between two questions": 0} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cut := context.WithCancelCause(t.Context())
			defer cut(nil)
			asked := 0
			s := newStubInMemory(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == moment {
					cut(why)
					<-r.Context().Done()
					return
				}
				if asked == 20 { // the next question comes long after
					time.AfterFunc(time.Millisecond, func() { cut(why) })
				}
				reply(w, http.StatusOK, `{"tables":[{"$id":"c","columns":[{"key":"a","type":"boolean","status":"processing"}],"indexes":[]}],"columns":[{"key":"a","type":"boolean","status":"processing"}]}`)
			})
			err := s.client(t).WaitAvailable(ctx, "d", awaitingA())
			wantIs(t, err, context.Canceled, why)
			if e, ok := errors.AsType[*appwrite.StatusError](err); !ok || e.Ref != awaitingA()[0] || e.Status != "processing" {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
}

func TestReadsThatDecideSeeThroughStaleSingleReads(t *testing.T) {
	t.Parallel()
	srv := livetest.Embedded(t, "1.9.6")
	p := newPlace(t, newClient(t, appwrite.Config{Endpoint: srv.Endpoint(), Project: srv.Project(), Key: srv.Key()}), appwrite.Server{})
	srv.Inject(appwritetest.Fault{Action: appwritetest.StaleReads()})
	p.attributes(t, appwrite.Attribute{Key: "a", Type: appwrite.TypeBoolean})
	found, err := p.FindAttribute(t.Context(), p.database, p.collection, "a")
	if err != nil || found.Status != appwrite.StatusAvailable {
		t.Errorf("got %+v, %v", found, err)
	}
}

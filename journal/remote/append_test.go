package remote_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
)

// everyVersion runs a test on a server of each version with an open journal.
func everyVersion(t *testing.T, test func(t *testing.T, srv *livetest.Server, p project)) {
	t.Helper()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			p := projectOf(t, srv)
			p.open(t)
			test(t, srv, p)
		})
	}
}

func wantRecords(t *testing.T, store journal.Store, want []journal.Record) {
	t.Helper()
	got, err := store.Records(t.Context(), want[0].Run)
	if err != nil || !slices.EqualFunc(got, want, func(a, b journal.Record) bool { return a.Hash == b.Hash }) {
		t.Errorf("%d records, error %v, want %d", len(got), err, len(want))
	}
}

// TestAnAppendOutlivesWhatGoesWrongForTheMoment meets each append with each
// mishap of the network and of the server.
func TestAnAppendOutlivesWhatGoesWrongForTheMoment(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		for name, action := range map[string]appwritetest.Action{
			"refused":       appwritetest.RefuseBefore(),
			"lost":          appwritetest.DropAfter(),
			"408":           appwritetest.Status{Code: 408, Type: "database_timeout"},
			"429":           appwritetest.Status{Code: 429, Type: "general_rate_limit_exceeded", RetryAfter: time.Second},
			"500":           appwritetest.Status{Code: 500, Type: "general_unknown"},
			"500 and acted": appwritetest.Status{Code: 500, Type: "general_unknown", AfterEffect: true},
			"503":           appwritetest.Status{Code: 503},
			"503 and acted": appwritetest.Status{Code: 503, AfterEffect: true},
		} {
			store := p.open(t)
			records := journaltest.Chain(t, name, 6)
			must(t, store.Append(t.Context(), records[0]))
			fault := srv.Inject(appwritetest.Fault{
				Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool { return posts("records")(r) }}, Times: 2, Action: action,
			})
			must(t, store.Append(t.Context(), records[1:4]...))
			if fault.Hits() == 0 {
				t.Errorf("%s: nothing was hit", name)
			}
			fault.Remove()
			must(t, store.Append(t.Context(), records[4]))
			wantRecords(t, p.open(t), records[:5])
			rival := p.open(t)
			if err := rival.Append(t.Context(), records[1:4]...); !errors.Is(err, journal.ErrTail) {
				t.Errorf("%s: the same records from another process: error %v, want ErrTail", name, err)
			}
		}
	})
}

// TestAnAppendOnTheWireHasItsPlaceOnce holds the request of an append back until
// others have gone on, and lets it take effect then.
func TestAnAppendOnTheWireHasItsPlaceOnce(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		records := journaltest.Chain(t, "run", 4)
		must(t, p.open(t).Append(t.Context(), records[0]))
		var late held
		slow := p.via(t, srv, appwrite.WithTransport(holding(t, &late, 1, posts("records"))))

		patient := slow.open(t)
		must(t, patient.Append(t.Context(), records[1])) // by its second attempt
		if answers := late.release(t); !slices.Equal(answers, []int{http.StatusConflict}) {
			t.Errorf("the first attempt was answered %v, want a conflict", answers)
		}
		wantRecords(t, p.open(t), records[:2])

		hasty := slow.open(t, remote.WithPatience(0))
		if err := hasty.Append(t.Context(), records[2]); err == nil || errors.Is(err, journal.ErrTail) {
			t.Errorf("error %v, want one that leaves it open", err)
		}
		rival, err := journal.NewRecord(records[1].Next(), "run", time.Now(), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
		must(t, err)
		must(t, p.open(t).Append(t.Context(), rival))
		if answers := late.release(t); !slices.Equal(answers, []int{http.StatusConflict}) {
			t.Errorf("what was too late was answered %v, want a conflict", answers)
		}
		wantRecords(t, p.open(t), []journal.Record{records[0], records[1], rival})

		hasty = slow.open(t, remote.WithPatience(0))
		last, err := journal.NewRecord(rival.Next(), "run", time.Now(), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
		must(t, err)
		if err := hasty.Append(t.Context(), last); err == nil {
			t.Error("no error")
		}
		reader := p.open(t)
		wantRecords(t, reader, []journal.Record{records[0], records[1], rival})
		if answers := late.release(t); !slices.Equal(answers, []int{http.StatusCreated}) {
			t.Errorf("what came before anybody else was answered %v", answers)
		}
		next, err := journal.NewRecord(rival.Next(), "run", time.Now().Add(time.Hour), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
		must(t, err)
		if err := reader.Append(t.Context(), next); !errors.Is(err, journal.ErrTail) {
			t.Errorf("error %v, want ErrTail: the late append is there", err)
		}
		wantRecords(t, reader, []journal.Record{records[0], records[1], rival, last})
	})
}

// TestTwoProcessesRaceForEachPlace has two processes append to one run, each
// losing answers now and then: every place has one winner, who knows it.
func TestTwoProcessesRaceForEachPlace(t *testing.T) {
	t.Parallel()
	const places = 12
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		must(t, p.open(t).Append(t.Context(), journaltest.Chain(t, "run", 1)...))
		var group sync.WaitGroup
		var wins [2][]string
		for i := range wins {
			flaky := &wire{base: http.DefaultTransport, match: posts("records"), act: func(n int, send func() (*http.Response, error)) (*http.Response, error) {
				if n%3 == i {
					return lost(send)
				}
				return send()
			}}
			store := p.via(t, srv, appwrite.WithTransport(flaky)).open(t)
			group.Go(func() {
				for {
					records, err := store.Records(t.Context(), "run")
					if err != nil || len(records) > places {
						return
					}
					r, err := journal.NewRecord(records[len(records)-1].Next(), "run", time.Now(), journal.RunFinished, "",
						journal.Finished{Status: journal.StatusHalted, Reason: fmt.Sprint(i)})
					if err != nil {
						t.Error(err)
						return
					}
					switch err := store.Append(t.Context(), r); {
					case err == nil:
						wins[i] = append(wins[i], r.Hash)
					case !errors.Is(err, journal.ErrTail):
						t.Errorf("error %v, want ErrTail", err)
						return
					}
				}
			})
		}
		group.Wait()
		records, err := p.open(t).Records(t.Context(), "run")
		must(t, err)
		for _, r := range records[1:] {
			if slices.Contains(wins[0], r.Hash) == slices.Contains(wins[1], r.Hash) {
				t.Errorf("record %d has no winner or two", r.Seq)
			}
		}
		if total := len(wins[0]) + len(wins[1]); total != len(records)-1 || len(records) != places+1 {
			t.Errorf("%d appends succeeded, %d records are there", total, len(records)-1)
		}
	})
}

func TestAnAppendIsOneRequest(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		var requests atomic.Int64
		store := p.via(t, srv, appwrite.WithObserver(func(appwrite.Exchange) { requests.Add(1) })).open(t)
		records := journaltest.Chain(t, "run", 251)
		must(t, store.Append(t.Context(), records[0])) // asks whether the run is there
		for _, part := range [][]journal.Record{records[1:2], records[2:5], records[5:]} {
			requests.Store(0)
			must(t, store.Append(t.Context(), part...))
			if n := requests.Load(); n != 1 {
				t.Errorf("%d records took %d requests, want 1", len(part), n)
			}
		}
		wantRecords(t, p.open(t), records)
	})
}

func TestListingRunsTakesFewRequests(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		for i := range 20 {
			journaltest.Account(t, store, fmt.Sprint("run", i), journal.StatusApplied, journal.Started{})
		}
		journaltest.Account(t, store, "halted", journal.StatusHalted, journal.Started{})
		must(t, store.Append(t.Context(), journaltest.Chain(t, "open", 9)...))
		var requests atomic.Int64
		lister := p.via(t, srv, appwrite.WithObserver(func(appwrite.Exchange) { requests.Add(1) })).open(t)
		requests.Store(0)
		runs, err := lister.Runs(t.Context())
		if err != nil || len(runs) != 22 || runs[20].Status != journal.StatusHalted || runs[21].Records != 9 {
			t.Errorf("runs %v, error %v", runs, err)
		}
		if n := requests.Load(); n != 3 {
			t.Errorf("%d requests, want one for the list and one for each run that has not ended", n)
		}
	})
}

// TestLargeRecordsAreKeptWhole appends records beyond what a document of records
// holds, and beyond what a document of a chunk does.
func TestLargeRecordsAreKeptWhole(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		records := journaltest.Chain(t, "run", 1)
		for i, size := range []int{300_000, 2_200_000} {
			body := journal.Intended{Before: []byte(`"` + strings.Repeat(`\"é<\n`, size/8) + `"`)}
			r, err := journal.NewRecord(records[len(records)-1].Next(), "run", time.Now(), journal.Intent, fmt.Sprint(i+1), body)
			must(t, err)
			records = append(records, r)
		}
		must(t, store.Append(t.Context(), records...))
		wantRecords(t, p.open(t), records)
		last, err := journal.NewRecord(records[2].Next(), "run", time.Now(), journal.RunFinished, "", journal.Finished{Status: journal.StatusHalted})
		must(t, err)
		must(t, p.open(t).Append(t.Context(), last))
		if runs, err := store.Runs(t.Context()); err != nil || len(runs) != 1 || runs[0].Err != nil || runs[0].Records != 4 {
			t.Errorf("runs %v, error %v", runs, err)
		}
		must(t, store.Prune(t.Context(), "run"))
		if left := p.documents(t, "chunks"); len(left) > 0 {
			t.Errorf("%d chunks are left of a run that was removed", len(left))
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		watch := newClock()
		store := p.open(t, remote.WithClock(watch), remote.WithPatience(time.Minute))
		must(t, store.Append(t.Context(), journaltest.Chain(t, "run", 1)...))
		fault := srv.Inject(appwritetest.Fault{Action: appwritetest.Status{Code: 503}})
		begun := watch.Now()
		err := store.Append(t.Context(), journaltest.Chain(t, "run", 2)[1])
		if took := watch.Now().Sub(begun); took < 45*time.Second || took > time.Minute {
			t.Errorf("it gave up after %s, want a minute", took)
		}
		if !errors.Is(err, journal.ErrBusy) || fault.Hits() < 5 {
			t.Errorf("error %v after %d attempts, want ErrBusy", err, fault.Hits())
		}
		begun = watch.Now()
		var told strings.Builder
		logger := slog.New(slog.NewTextHandler(&told, nil))
		if _, err := remote.Open(t.Context(), p.client, p.database, remote.WithClock(watch), remote.WithLogger(logger)); !errors.Is(err, journal.ErrBusy) {
			t.Errorf("open: error %v, want ErrBusy", err)
		}
		if took := watch.Now().Sub(begun); took < 5*time.Second || took > 15*time.Second {
			t.Errorf("opening gave up after %s, want a quarter of a minute", took)
		}
		if !strings.Contains(told.String(), "503") {
			t.Errorf("the log says %q", told.String())
		}
		fault.Remove()
		must(t, store.Append(t.Context(), journaltest.Chain(t, "run", 2)[1]))
	})
}

func TestAGuardedJournalSendsNothingOnceTheGuardFails(t *testing.T) {
	t.Parallel()
	errLost := errors.New("the lease is lost")
	everyVersion(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		var gone atomic.Bool
		var writes atomic.Int64
		open := p.via(t, srv, appwrite.WithObserver(func(e appwrite.Exchange) {
			if e.Method != http.MethodGet {
				writes.Add(1)
			}
		})).open(t)
		store, err := open.Guarded(func(context.Context) error {
			if gone.Load() {
				return errLost
			}
			return nil
		})
		must(t, err)
		records := journaltest.Chain(t, "run", 3)
		must(t, store.Append(t.Context(), records[0]))
		// The guard is asked again before every further attempt.
		srv.Inject(appwritetest.Fault{Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool {
			hit := posts("records")(r)
			if hit {
				gone.Store(true)
			}
			return hit
		}}, Times: 1, Action: appwritetest.RefuseBefore()})
		if err := store.Append(t.Context(), records[1]); !errors.Is(err, errLost) {
			t.Errorf("append: error %v, want the guard's", err)
		}
		writes.Store(0)
		if err := store.Append(t.Context(), records[1]); !errors.Is(err, errLost) {
			t.Errorf("append: error %v, want the guard's", err)
		}
		if err := store.Put(t.Context(), "run/1/x", []byte("x")); !errors.Is(err, errLost) {
			t.Errorf("archive: error %v, want the guard's", err)
		}
		if err := store.Prune(t.Context(), "run"); !errors.Is(err, errLost) {
			t.Errorf("prune: error %v, want the guard's", err)
		}
		if receipts := store.Receipts(); receipts != nil {
			r, _, err := receipts.Next(t.Context(), "run", "1")
			must(t, err)
			if _, err := receipts.Revoke(t.Context(), r); !errors.Is(err, errLost) {
				t.Errorf("revoke: error %v, want the guard's", err)
			}
		}
		if n := writes.Load(); n != 0 {
			t.Errorf("%d writes were sent", n)
		}
		wantRecords(t, store, records[:1])
	})
}

package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
)

func TestTheCollectionsAreMadeOnceAndOneRequestSeesThem(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var requests int
			p := projectOf(t, livetest.Start(t, version), appwrite.WithObserver(func(appwrite.Exchange) { requests++ }))
			must(t, remote.Ensure(t.Context(), p.client, p.database, fast{}))
			requests = 0
			must(t, remote.Ensure(t.Context(), p.client, p.database, fast{}))
			if requests != 1 {
				t.Errorf("%d requests to see that all is there, want 1", requests)
			}
			checkShape(t, p)
		})
	}
}

// TestMakingTheJournalSurvivesAKillAtEveryRequest stops the bootstrap before and
// after the effect of each of its requests in turn, and lets another finish it.
func TestMakingTheJournalSurvivesAKillAtEveryRequest(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after=%t", version, after), func(t *testing.T) {
				t.Parallel()
				srv := livetest.Start(t, version)
				space := livetest.NewSpace(t)
				stride := 1
				if version == "1.7.4" && os.Getenv("BACKSTEP_CRASH") == "" {
					stride = 5 // the requests are those of 1.8.1
				}
				for k := 1; ; k += stride {
					p := project{client: client(t, srv), database: space.ID(fmt.Sprintf("kill%d", k))}
					if !p.killedAt(t, srv, k, after) {
						t.Logf("%d points", (k-1)/stride)
						return
					}
					must(t, remote.Ensure(t.Context(), p.client, p.database, fast{}))
					checkShape(t, p)
					must(t, p.client.DeleteDatabase(t.Context(), p.database))
				}
			})
		}
	}
}

// killedAt begins to make a journal and is killed at its k-th request; false
// says that it needed fewer.
func (p project) killedAt(t *testing.T, srv *livetest.Server, k int, after bool) bool {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	w := &wire{base: http.DefaultTransport, act: func(n int, send func() (*http.Response, error)) (*http.Response, error) {
		if n < k {
			return send()
		}
		defer kill()
		if n == k && after {
			return lost(send)
		}
		return nil, errNetwork
	}}
	err := remote.Ensure(ctx, client(t, srv, appwrite.WithTransport(w)), p.database, fast{})
	if (err != nil) != (w.count() >= k) {
		t.Errorf("killed at %d of %d: error %v", k, w.count(), err)
	}
	return w.count() >= k
}

func TestManyMakeTheJournalAtOnce(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			p := projectOf(t, srv)
			var group sync.WaitGroup
			for i := range 6 {
				group.Go(func() {
					if i%3 == 2 { // some of them do not live to finish
						p.killedAt(t, srv, 3*i, i%2 == 0)
						return
					}
					store, err := remote.Open(t.Context(), client(t, srv), p.database, remote.WithClock(fast{}))
					if err != nil {
						t.Error(err)
						return
					}
					if err := store.Append(t.Context(), journaltest.Chain(t, fmt.Sprint("run", i), 1)...); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			checkShape(t, p)
			if runs, err := p.open(t).Runs(t.Context()); err != nil || len(runs) != 4 {
				t.Errorf("%d runs, error %v, want 4", len(runs), err)
			}
		})
	}
}

// checkShape looks at the collections without the store.
func checkShape(t *testing.T, p project) {
	t.Helper()
	for collection, attributes := range map[string]string{
		"records":  "edge=string format=integer key=string last=integer records=string run=string seq=integer",
		"chunks":   "data=string format=integer key=string name=string part=integer parts=integer",
		"receipts": "format=integer generation=integer key=string operation=string run=string slot=string state=string",
	} {
		found, err := p.client.ListAttributes(t.Context(), p.database, collection)
		must(t, err)
		seen := make(map[string]string)
		for _, a := range found {
			seen[a.Key] = a.Type
			if a.Status != appwrite.StatusAvailable {
				t.Errorf("%s/%s is %s", collection, a.Key, a.Status)
			}
		}
		for want := range strings.FieldsSeq(attributes) {
			key, kind, _ := strings.Cut(want, "=")
			if seen[key] != kind {
				t.Errorf("%s/%s is %q, want %s", collection, key, seen[key], kind)
			}
			delete(seen, key)
		}
		if len(seen) > 0 {
			t.Errorf("%s has also %v", collection, seen)
		}
		indexes, err := p.client.ListIndexes(t.Context(), p.database, collection)
		must(t, err)
		for _, index := range indexes {
			if index.Status != appwrite.StatusAvailable {
				t.Errorf("index %s/%s is %s", collection, index.Key, index.Status)
			}
		}
		if len(indexes) == 0 {
			t.Errorf("%s has no indexes", collection)
		}
	}
}

// TestSomebodyElsesCollectionIsRefusedAndLeftAlone puts things under the
// journal's names that the journal did not make.
func TestSomebodyElsesCollectionIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	attribute := func(key, kind string) appwrite.Attribute {
		a := appwrite.Attribute{Key: key, Type: kind}
		if kind == appwrite.TypeString {
			a.Size = 10
		}
		return a
	}
	for name, c := range map[string]struct {
		collection appwrite.Collection
		attribute  appwrite.Attribute
		want       string
	}{
		"another name":           {appwrite.Collection{ID: "records", Name: "Records", Enabled: true}, appwrite.Attribute{}, `is called "Records"`},
		"another attribute":      {appwrite.Collection{ID: "chunks", Name: "Backstep chunks", Enabled: true}, attribute("title", appwrite.TypeString), "has an attribute title"},
		"an attribute too small": {appwrite.Collection{ID: "records", Name: "Backstep records", Enabled: true}, attribute("run", appwrite.TypeString), "is string of size 10, not string of size 255"},
		"another type":           {appwrite.Collection{ID: "records", Name: "Backstep records", Enabled: true}, attribute("run", appwrite.TypeInteger), "is integer, not string"},
		"open to others":         {appwrite.Collection{ID: "records", Name: "Backstep records", Enabled: true, Permissions: []string{`read("any")`}}, appwrite.Attribute{}, `read("any")`},
		"another letter case":    {appwrite.Collection{ID: "Records", Name: "x", Enabled: true}, appwrite.Attribute{}, `"Records" is there`},
	} {
		for _, version := range []string{"1.7.4", "1.9.6"} {
			t.Run(name+"/"+version, func(t *testing.T) {
				t.Parallel()
				p := projectOf(t, livetest.Start(t, version))
				own := p.client
				_, err := own.CreateDatabase(t.Context(), appwrite.Database{ID: p.database, Name: "Backstep", Enabled: true})
				must(t, err)
				_, err = own.CreateCollection(t.Context(), p.database, c.collection)
				must(t, err)
				if c.attribute.Key != "" {
					_, err := own.CreateAttribute(t.Context(), p.database, c.collection.ID, c.attribute)
					must(t, err)
					must(t, own.WaitAvailable(t.Context(), p.database, []appwrite.Awaited{{Collection: c.collection.ID, Attribute: c.attribute.Key}}))
				}
				before, err := own.FindCollection(t.Context(), p.database, c.collection.ID)
				must(t, err)
				_, err = remote.Open(t.Context(), own, p.database, remote.WithClock(fast{}))
				if !errors.Is(err, remote.ErrForeign) || !strings.Contains(fmt.Sprint(err), c.want) {
					t.Errorf("error %v, want ErrForeign: %s", err, c.want)
				}
				after, err := own.FindCollection(t.Context(), p.database, c.collection.ID)
				if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
					t.Errorf("it was\n%v\nand is\n%v, error %v", before, after, err)
				}
			})
		}
	}
}

func TestAJournalOfANewerReleaseIsErrVersion(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	_, err := p.client.CreateDatabase(t.Context(), appwrite.Database{ID: p.database, Name: "Backstep", Enabled: true})
	must(t, err)
	_, err = p.client.CreateCollection(t.Context(), p.database, appwrite.Collection{
		ID: "records", Name: "Backstep records", Enabled: true,
		Attributes: []appwrite.Attribute{{Key: "format", Type: appwrite.TypeInteger, Default: json.RawMessage("2")}},
	})
	must(t, err)
	if _, err := remote.Open(t.Context(), p.client, p.database, remote.WithClock(fast{})); !errors.Is(err, journal.ErrVersion) {
		t.Errorf("error %v, want ErrVersion", err)
	}
}

func TestAnAttributeTakenOutOfTheJournalIsNoticed(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	must(t, remote.Ensure(t.Context(), p.client, p.database, fast{}))
	must(t, p.client.DeleteAttribute(t.Context(), p.database, "records", "edge"))
	must(t, p.client.WaitGone(t.Context(), p.database, []appwrite.Awaited{{Collection: "records", Attribute: "edge"}}))
	if _, err := remote.Open(t.Context(), p.client, p.database, remote.WithClock(fast{})); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged", err)
	}
}

func TestAWorkerThatLosesAnAttributeIsReportedWithWhatToDo(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "1.8.1")
	if srv.Embedded == nil {
		t.Skip("a real worker cannot be made to fail")
	}
	fault := srv.Embedded.Worker().Inject(appwritetest.JobFault{Match: appwritetest.JobMatch{Collection: "records", Key: "run"}, Times: 1, Outcome: appwritetest.Fail})
	p := projectOf(t, srv)
	_, err := remote.Open(t.Context(), p.client, p.database, remote.WithClock(fast{}))
	if stuck, ok := errors.AsType[*appwrite.StatusError](err); !ok || stuck.Ref.Attribute != "run" || !strings.Contains(err.Error(), "delete collection records") {
		t.Errorf("error %v, want one that says what to do", err)
	}
	if fault.Hits() != 1 {
		t.Errorf("the worker failed %d times", fault.Hits())
	}
	must(t, p.client.DeleteCollection(t.Context(), p.database, "records"))
	must(t, remote.Ensure(t.Context(), p.client, p.database, fast{}))
	checkShape(t, p)
}

func TestAFailedIndexKeepsNobodyFromTheJournal(t *testing.T) {
	t.Parallel()
	srv := livetest.Start(t, "1.8.1")
	if srv.Embedded == nil {
		t.Skip("a real worker cannot be made to fail")
	}
	srv.Embedded.Worker().Inject(appwritetest.JobFault{Match: appwritetest.JobMatch{Kind: appwritetest.CreateIndex}, Times: 1, Outcome: appwritetest.Fail})
	store := projectOf(t, srv).open(t)
	must(t, store.Append(t.Context(), journaltest.Chain(t, "run", 3)...))
	if got, err := store.Records(t.Context(), "run"); err != nil || len(got) != 3 {
		t.Errorf("%d records, error %v", len(got), err)
	}
}

func TestAJournalOpenedForReadingMakesAndWritesNothing(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			p := projectOf(t, srv)
			if _, err := remote.Open(t.Context(), p.client, p.database, remote.ReadOnly()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v, want fs.ErrNotExist", err)
			}
			if _, err := p.client.FindDatabase(t.Context(), p.database); !errors.Is(err, appwrite.ErrNotFound) {
				t.Errorf("opening for reading made a database: %v", err)
			}
			records := journaltest.Chain(t, "run", 2)
			must(t, p.open(t).Append(t.Context(), records[0]))
			store := p.open(t, remote.ReadOnly())
			if got, err := store.Records(t.Context(), "run"); err != nil || len(got) != 1 {
				t.Errorf("%d records, error %v, want 1", len(got), err)
			}
			if err := store.Append(t.Context(), records[1]); !errors.Is(err, journal.ErrReadOnly) {
				t.Errorf("append: error %v, want ErrReadOnly", err)
			}
			if err := store.Prune(t.Context(), "run"); !errors.Is(err, journal.ErrReadOnly) {
				t.Errorf("prune: error %v, want ErrReadOnly", err)
			}
		})
	}
}

// TestAJournalHalfMadeBeforeAnUpgradeIsCompleted finds what a server of an
// earlier release had begun, on one that would have made it in one request.
func TestAJournalHalfMadeBeforeAnUpgradeIsCompleted(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	_, err := p.client.CreateDatabase(t.Context(), appwrite.Database{ID: p.database, Name: "Backstep", Enabled: true})
	must(t, err)
	for _, name := range []string{"records", "chunks"} {
		_, err = p.client.CreateCollection(t.Context(), p.database, appwrite.Collection{ID: name, Name: "Backstep " + name, Enabled: true})
		must(t, err)
	}
	_, err = p.client.CreateAttribute(t.Context(), p.database, "records", appwrite.Attribute{Key: "run", Type: appwrite.TypeString, Size: 255})
	must(t, err)
	watch := newClock()
	begun := watch.Now()
	must(t, remote.Ensure(t.Context(), p.client, p.database, watch))
	if waited := watch.Now().Sub(begun); waited < 5*time.Second {
		t.Errorf("it was completed after %s, want time for who may be making it", waited)
	}
	checkShape(t, p)
}

package remote_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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

// everyTransacting runs a test on each version that has transactions, with a
// collection "counters" to act on.
func everyTransacting(t *testing.T, test func(t *testing.T, srv *livetest.Server, p project)) {
	t.Helper()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			srv := livetest.Start(t, version)
			p := projectOf(t, srv)
			p.open(t)
			_, err := p.client.CreateDatabase(t.Context(), appwrite.Database{ID: p.shop, Name: "Shop", Enabled: true})
			must(t, err)
			_, err = p.client.CreateCollection(t.Context(), p.shop, appwrite.Collection{ID: "counters", Name: "Counters", Enabled: true})
			must(t, err)
			_, err = p.client.CreateAttribute(t.Context(), p.shop, "counters", appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger})
			must(t, err)
			must(t, p.client.WaitAvailable(t.Context(), p.shop, []appwrite.Awaited{{Collection: "counters", Attribute: "n"}}))
			test(t, srv, p)
		})
	}
}

// stage prepares the creation of a document under a receipt, and gives what
// commits it.
func (p project) stage(t *testing.T, r journal.Receipt, document string) (commit func() error) {
	t.Helper()
	tx, err := p.client.CreateTransaction(t.Context(), time.Minute)
	must(t, err)
	_, err = p.client.StageOperations(t.Context(), tx.ID, []appwrite.Operation{
		{Action: appwrite.ActionCreate, Database: p.shop, Collection: "counters", Document: document, Data: map[string]any{"n": 1}},
		{Action: appwrite.ActionCreate, Database: r.Database, Collection: r.Collection, Document: r.ID, Data: r.Data},
	})
	must(t, err)
	return func() error {
		_, err := p.client.Commit(t.Context(), tx.ID)
		return err
	}
}

// acted says whether a document of the shop is there.
func (p project) acted(t *testing.T, document string) bool {
	t.Helper()
	_, err := p.client.FindDocument(t.Context(), p.shop, "counters", document)
	if err != nil && !errors.Is(err, appwrite.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func next(t *testing.T, store *remote.Store, operation string) (journal.Receipt, bool) {
	t.Helper()
	r, applied, err := store.Receipts().Next(t.Context(), "run", operation)
	must(t, err)
	return r, applied
}

func TestReceiptsNeedTransactions(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.7.4"))
	if receipts := p.open(t).Receipts(); receipts != nil {
		t.Errorf("receipts %v, want none", receipts)
	}
}

func TestAReceiptIsAppliedOrRevokedAndNeverBoth(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		first, applied := next(t, store, "1")
		if applied || first.Generation != 0 || first.Database != p.database {
			t.Errorf("first receipt %+v, applied %t", first, applied)
		}
		commit := p.stage(t, first, "late")
		for range 2 { // by two holders in turn
			if applied, err := p.open(t).Receipts().Revoke(t.Context(), first); err != nil || applied {
				t.Errorf("revoked: applied %t, error %v", applied, err)
			}
		}
		if err := commit(); !errors.Is(err, appwrite.ErrConflict) {
			t.Errorf("commit after the revocation: error %v, want ErrConflict", err)
		}
		if p.acted(t, "late") {
			t.Error("a revoked operation has acted")
		}

		second, applied := next(t, store, "1")
		if applied || second.Generation != 1 || second.ID == first.ID {
			t.Errorf("second receipt %+v, applied %t", second, applied)
		}
		must(t, p.stage(t, second, "done")())
		if applied, err := store.Receipts().Revoke(t.Context(), second); err != nil || !applied {
			t.Errorf("revoked too late: applied %t, error %v", applied, err)
		}
		if again, applied := next(t, p.open(t), "1"); !applied || again.ID != second.ID {
			t.Errorf("receipt %+v, applied %t, want the one that was committed", again, applied)
		}
		if other, applied := next(t, store, "1/undo/1"); applied || other.Generation != 0 {
			t.Errorf("another operation's receipt %+v, applied %t", other, applied)
		}
	})
}

// TestOfCommitAndRevocationOneWins has a commit and a revocation race, with
// requests and answers lost, and lets each of them go first now and then: what
// the server did, what it keeps and what the revoker was told agree every time.
func TestOfCommitAndRevocationOneWins(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		flaky := &wire{base: http.DefaultTransport, match: posts("receipts"), act: func(n int, send func() (*http.Response, error)) (*http.Response, error) {
			switch n % 3 {
			case 0:
				return lost(send)
			case 1:
				return send()
			default:
				return nil, errNetwork
			}
		}}
		revoker := p.via(t, srv, appwrite.WithTransport(flaky)).open(t)
		store := p.open(t)
		wins := [2]int{}
		for i := range 24 {
			operation := fmt.Sprint(i + 1)
			r, _ := next(t, store, operation)
			commit := p.stage(t, r, "doc"+operation)
			var group sync.WaitGroup
			var committed, revoked error
			var applied bool
			commitDone, revokeDone := make(chan struct{}), make(chan struct{})
			group.Go(func() {
				defer close(commitDone)
				if i%4 == 3 {
					<-revokeDone
				}
				committed = commit()
			})
			group.Go(func() {
				defer close(revokeDone)
				if i%4 == 1 {
					<-commitDone
				}
				applied, revoked = revoker.Receipts().Revoke(t.Context(), r)
			})
			group.Wait()
			must(t, revoked)
			if committed != nil && !errors.Is(committed, appwrite.ErrConflict) {
				t.Fatal(committed)
			}
			acted := p.acted(t, "doc"+operation)
			if _, kept := next(t, store, operation); acted != applied || acted != kept || acted != (committed == nil) {
				t.Errorf("operation %s: acted %t, the revoker was told %t, the journal keeps %t, the commit's error was %v", operation, acted, applied, kept, committed)
			}
			if acted {
				wins[0]++
			} else {
				wins[1]++
			}
		}
		t.Logf("%d commits and %d revocations came first", wins[0], wins[1])
		if wins[0] == 0 || wins[1] == 0 {
			t.Error("the one that went first did not win")
		}
	})
}

// TestRequestsOnTheWireDecideNothingTwice holds back a revocation, and then a
// commit, until the other side has decided.
func TestRequestsOnTheWireDecideNothingTwice(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		var late held
		slow := p.via(t, srv, appwrite.WithTransport(holding(t, &late, 1, posts("receipts"))))
		hasty := slow.open(t, remote.WithPatience(0))
		store := p.open(t)

		r, _ := next(t, store, "1")
		if _, err := hasty.Receipts().Revoke(t.Context(), r); err == nil {
			t.Error("a revocation without an answer was taken for one")
		}
		must(t, p.stage(t, r, "one")())
		if answers := late.release(t); !slices.Equal(answers, []int{http.StatusConflict}) {
			t.Errorf("the late revocation was answered %v, want a conflict", answers)
		}
		if applied, err := store.Receipts().Revoke(t.Context(), r); err != nil || !applied || !p.acted(t, "one") {
			t.Errorf("applied %t, error %v", applied, err)
		}

		r, _ = next(t, store, "2")
		commits := func(req *http.Request) bool {
			return req.Method == http.MethodPatch && strings.Contains(req.URL.Path, "/transactions/")
		}
		commit := p.via(t, srv, appwrite.WithTransport(holding(t, &late, 1, commits))).stage(t, r, "two")
		if err := commit(); appwrite.Classify(err) != appwrite.Ambiguous {
			t.Errorf("the held commit: error %v", err)
		}
		if applied, err := store.Receipts().Revoke(t.Context(), r); err != nil || applied {
			t.Errorf("applied %t, error %v", applied, err)
		}
		if answers := late.release(t); !slices.Equal(answers, []int{http.StatusConflict}) {
			t.Errorf("the late commit was answered %v, want a conflict", answers)
		}
		if p.acted(t, "two") {
			t.Error("a revoked operation has acted")
		}
	})
}

func TestARevocationOutlivesWhatGoesWrongForTheMoment(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, srv *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		for name, action := range map[string]appwritetest.Action{
			"refused":       appwritetest.RefuseBefore(),
			"lost":          appwritetest.DropAfter(),
			"500 and acted": appwritetest.Status{Code: 500, Type: "general_unknown", AfterEffect: true},
			"503":           appwritetest.Status{Code: 503},
		} {
			r, _ := next(t, store, name)
			fault := srv.Inject(appwritetest.Fault{
				Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool { return posts("receipts")(r) }}, Times: 2, Action: action,
			})
			if applied, err := store.Receipts().Revoke(t.Context(), r); err != nil || applied || fault.Hits() == 0 {
				t.Errorf("%s: applied %t, error %v after %d hits", name, applied, err, fault.Hits())
			}
			fault.Remove()
			if after, _ := next(t, store, name); after.Generation != 1 {
				t.Errorf("%s: the next receipt is of generation %d, want 1", name, after.Generation)
			}
		}
	})
}

func TestReceiptsThatMakeNoSenseAreNoticed(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		r, _ := next(t, store, "1")
		_, err := store.Receipts().Revoke(t.Context(), r)
		must(t, err)
		foreign := r
		foreign.Database = "other"
		if _, err := store.Receipts().Revoke(t.Context(), foreign); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("a receipt of another journal: error %v, want ErrInvalid", err)
		}
		for column, value := range map[string]any{"state": "open", "generation": 7, "operation": "2", "run": "other", "key": "x"} {
			original := r.Data[column]
			if column == "state" {
				original = "revoked"
			}
			p.set(t, "receipts", r.ID, map[string]any{column: value})
			if _, _, err := store.Receipts().Next(t.Context(), "run", "1"); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("%s changed: error %v, want ErrDamaged", column, err)
			}
			p.set(t, "receipts", r.ID, map[string]any{column: original})
		}
		third := r
		third.ID = strings.TrimSuffix(r.ID, "0") + "2"
		third.Data["generation"] = 2
		_, err = p.client.CreateDocument(t.Context(), p.database, "receipts", appwrite.Document{ID: third.ID, Data: third.Data})
		must(t, err)
		if _, _, err := store.Receipts().Next(t.Context(), "run", "1"); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("a gap in the generations: error %v, want ErrDamaged", err)
		}
	})
}

// receipted gives the records of a run whose operation has acted under the
// receipt with a hash.
func receipted(t *testing.T, run, hash string) []journal.Record {
	t.Helper()
	records := journaltest.Chain(t, run, 1)
	add := func(typ journal.Type, body any) {
		r, err := journal.NewRecord(records[len(records)-1].Next(), run, time.Now(), typ, "1", body)
		must(t, err)
		records = append(records, r)
	}
	add(journal.Intent, journal.Intended{Receipted: true})
	add(journal.Applied, journal.Observed{Receipt: hash})
	return records
}

// TestVerifyHoldsRecordsAgainstReceipts records the hash of a receipt and that
// of another one, and then changes and removes the receipt.
func TestVerifyHoldsRecordsAgainstReceipts(t *testing.T) {
	t.Parallel()
	everyTransacting(t, func(t *testing.T, _ *livetest.Server, p project) {
		t.Helper()
		store := p.open(t)
		for _, run := range []string{"run", "other"} {
			r, _, err := store.Receipts().Next(t.Context(), run, "1")
			must(t, err)
			must(t, p.stage(t, r, "done-"+run)())
			if run == "other" {
				r.Generation++ // not the one that is committed
			}
			sum, err := r.Hash()
			must(t, err)
			must(t, store.Append(t.Context(), receipted(t, run, sum)...))
		}
		damaged := func(what, run string) {
			t.Helper()
			_, err := journal.Verify(t.Context(), store, run)
			if named, ok := errors.AsType[*journal.RecordError](err); !ok || named.Seq != 3 || !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("%s: error %v, want ErrDamaged of record 3", what, err)
			}
		}
		if found, err := journal.Verify(t.Context(), store, "run"); err != nil || found.Receipts != 1 || len(found.Absent) != 0 {
			t.Errorf("%+v, error %v", found, err)
		}
		damaged("the hash of another receipt", "other")
		r, _ := next(t, store, "1")
		p.set(t, "receipts", r.ID, map[string]any{"generation": 1})
		damaged("a changed receipt", "run")
		must(t, p.client.DeleteDocument(t.Context(), p.database, "receipts", r.ID, appwrite.Guard{}))
		if found, err := journal.Verify(t.Context(), store, "run"); err != nil || !slices.Equal(found.Absent, []string{"1"}) {
			t.Errorf("a removed receipt: %+v, error %v, want it to be told", found, err)
		}
	})
}

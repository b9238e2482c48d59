package appwritetest_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest"
)

func TestStaleReadsKeepProcessingWhileListsAreRight(t *testing.T) {
	t.Parallel()
	srv := newShop(t)
	stale := srv.Inject(appwritetest.Fault{Action: appwritetest.StaleReads()})
	addTitle(t, srv)
	idle(t, srv)
	single := func() any { return must(t, srv, "GET", books+"/attributes/title", nil)["status"] }
	if got := []any{single(), listed(t, srv), single()}; !cmp.Equal(got, []any{"processing", "available", "processing"}) {
		t.Errorf("single, list, single: %v", got)
	}
	stale.Remove()
	if got := single(); got != "available" {
		t.Errorf("after Remove: %v", got)
	}
}

func TestStaleReadsShowACollectionAsItWasFirstRead(t *testing.T) {
	t.Parallel()
	srv := newShop(t)
	srv.Inject(appwritetest.Fault{Action: appwritetest.StaleReads()})
	attributes := func() int { return len(must(t, srv, "GET", books, nil)["attributes"].([]any)) }
	before := attributes()
	addTitle(t, srv)
	idle(t, srv)
	if after := attributes(); before != 0 || after != 0 {
		t.Errorf("want the empty schema twice, got %d and %d", before, after)
	}
}

func TestJobFaultsEndAsStatusesShow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind    appwritetest.JobKind
		outcome appwritetest.Outcome
		want    string
	}{
		"failed create":            {appwritetest.CreateAttribute, appwritetest.Fail, "failed"},
		"create lost before":       {appwritetest.CreateAttribute, appwritetest.DieBefore, "processing"},
		"create lost after":        {appwritetest.CreateAttribute, appwritetest.DieAfter, "processing"},
		"failed delete":            {appwritetest.DeleteAttribute, appwritetest.Fail, "stuck"},
		"delete lost before":       {appwritetest.DeleteAttribute, appwritetest.DieBefore, "deleting"},
		"delete lost after":        {appwritetest.DeleteAttribute, appwritetest.DieAfter, "deleting"},
		"fault for something else": {appwritetest.CreateIndex, appwritetest.Fail, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := newShop(t)
			fault := srv.Worker().Inject(appwritetest.JobFault{
				Match: appwritetest.JobMatch{Kind: c.kind, Collection: "books", Key: "title"}, Times: 1, Outcome: c.outcome,
			})
			addTitle(t, srv)
			idle(t, srv)
			if c.kind != appwritetest.CreateAttribute {
				must(t, srv, "DELETE", books+"/attributes/title", nil)
				idle(t, srv)
			}
			if got := listed(t, srv); got != c.want {
				t.Errorf("want status %q, got %q", c.want, got)
			}
			if want := len(c.want); (fault.Hits() == 1) != (want > 0) {
				t.Errorf("%d hits", fault.Hits())
			}
		})
	}
}

func TestPausedWorkerRunsStepByStep(t *testing.T) {
	t.Parallel()
	srv := newShop(t)
	srv.Worker().Pause()
	addTitle(t, srv)
	must(t, srv, "DELETE", books+"/attributes/title", nil)
	if got := []any{listed(t, srv), srv.Worker().QueueSize()}; !cmp.Equal(got, []any{"processing", 2}) {
		t.Errorf("paused: %v", got)
	}
	if err := srv.Worker().Step(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got := srv.Worker().QueueSize(); got != 1 {
		t.Errorf("after one step %d jobs are left", got)
	}
	srv.Worker().Resume()
	idle(t, srv)
	if got := listed(t, srv); got != "" {
		t.Errorf("after both jobs: %q", got)
	}
}

func TestDroppedAnswerLeavesItsEffect(t *testing.T) {
	t.Parallel()
	srv := newShop(t)
	srv.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Method: "POST", Path: "/databases/*/collections"}, Times: 1,
		Action: appwritetest.DropAfter(),
	})
	body := `{"collectionId":"lost","name":"Lost"}`
	if got, _, err := trySend(t, srv, "POST", "/databases/shop/collections", body); err == nil {
		t.Errorf("want a broken connection, got %d", got)
	}
	must(t, srv, "GET", "/databases/shop/collections/lost", nil)
}

func TestInjectedErrorsShowTheServersVersion(t *testing.T) {
	t.Parallel()
	srv := appwritetest.New(t, appwritetest.Version("1.8.1"))
	srv.Inject(appwritetest.Fault{Action: appwritetest.Status{Code: 408, Type: "database_timeout"}})
	status, body := call(t, srv, "GET", "/databases", nil)
	want := object{"message": "Request Timeout", "code": 408.0, "type": "database_timeout", "version": "1.8.1"}
	if d := cmp.Diff(want, body); d != "" || status != http.StatusRequestTimeout {
		t.Errorf("%d %s", status, d)
	}
}

func TestHeldRequestIsDroppedWithoutEffectWhenTheServerCloses(t *testing.T) {
	t.Parallel()
	for name, action := range map[string]appwritetest.Action{
		"until its client gives up": appwritetest.HoldThenAct(), "until its release": appwritetest.HoldUntilRelease(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "data.db")
			srv := open(t, file)
			held := srv.Inject(appwritetest.Fault{Action: action})
			failed := make(chan error, 1)
			go func() {
				_, _, err := trySend(t, srv, "POST", "/databases", `{"databaseId":"shop","name":"Shop"}`)
				failed <- err
			}()
			if err := held.AwaitHits(t.Context(), 1); err != nil {
				t.Error(err)
			}
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
			if err := <-failed; err == nil {
				t.Error("want a broken connection")
			}
			srv = open(t, file)
			refuse(t, srv, 404, "database_not_found", "GET", "/databases/shop", nil)
			if err := srv.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRealisticDelaysMatchWhatWasMeasured(t *testing.T) {
	t.Parallel()
	draw := appwritetest.Realistic(1)
	for range 1000 {
		if alone := draw(0); alone < 27*time.Millisecond || alone > 72*time.Millisecond {
			t.Fatalf("a job on its own took %v", alone)
		}
	}
	burst := time.Duration(0)
	for waiting := 29; waiting >= 0; waiting-- {
		burst += draw(waiting)
	}
	if burst < 600*time.Millisecond || burst > 800*time.Millisecond {
		t.Errorf("a burst of 30 took %v, want about 700 ms", burst)
	}
	if again := appwritetest.Realistic(1); again(0) != appwritetest.Realistic(1)(0) {
		t.Error("the same seed drew different times")
	}
}

package appwrite_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// transacting gives a place where there are transactions; elsewhere they have
// to be refused.
func transacting(t *testing.T, s served) (place, bool) {
	t.Helper()
	c, server := s.client(t)
	if !server.Capabilities.Transactions {
		_, err := c.CreateTransaction(t.Context(), 0)
		wantIs(t, err, appwrite.ErrUnsupported)
		return place{}, false
	}
	p := newPlace(t, c, server)
	p.attributes(t,
		appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 100},
		appwrite.Attribute{Key: "n", Type: appwrite.TypeInteger},
	)
	return p, true
}

func (p place) begin(t *testing.T) appwrite.Transaction {
	t.Helper()
	tx, err := p.CreateTransaction(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if tx.Status != appwrite.TransactionPending || tx.ID == "" || tx.ExpiresAt == "" {
		t.Fatalf("began %+v", tx)
	}
	return tx
}

// on completes operations by where they act.
func (p place) on(operations ...appwrite.Operation) []appwrite.Operation {
	for i := range operations {
		operations[i].Database, operations[i].Collection = p.database, p.collection
	}
	return operations
}

func TestTransactionAppliesEveryActionAtOnce(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, ok := transacting(t, s)
			if !ok {
				return
			}
			for i, id := range []string{"up", "gone", "more", "less", "bulk1", "bulk2"} {
				p.create(t, id, map[string]any{"s": "old", "n": i})
			}
			untilNextMillisecond()
			tx := p.begin(t)
			permissions := []string{`read("any")`}
			staged, err := p.StageOperations(t.Context(), tx.ID, p.on(
				appwrite.Operation{Action: appwrite.ActionCreate, Document: "new", Data: map[string]any{"s": "made"}, Permissions: &permissions},
				appwrite.Operation{Action: appwrite.ActionCreate, Document: "bare"},
				appwrite.Operation{Action: appwrite.ActionUpdate, Document: "up", Data: map[string]any{"s": "changed"}},
				appwrite.Operation{Action: appwrite.ActionUpsert, Document: "upsert", Data: map[string]any{"s": "upserted"}},
				appwrite.Operation{Action: appwrite.ActionDelete, Document: "gone"},
				appwrite.Operation{Action: appwrite.ActionIncrement, Document: "more", Attribute: "n", By: "40"},
				appwrite.Operation{Action: appwrite.ActionDecrement, Document: "less", Attribute: "n", By: "1", Min: "0"},
				appwrite.Operation{Action: appwrite.ActionBulkCreate, Documents: []appwrite.Document{{ID: "c1", Data: map[string]any{"n": 1}}, {ID: "c2"}}},
				appwrite.Operation{Action: appwrite.ActionBulkUpdate, Queries: []string{query.Equal("$id", "bulk1")}, Data: map[string]any{"s": "bulk"}},
				appwrite.Operation{Action: appwrite.ActionBulkDelete, Queries: []string{query.Equal("$id", "bulk2")}},
			))
			if err != nil {
				t.Fatal(err)
			}
			if staged.Operations != 10 {
				t.Errorf("%d operations are staged, want 10", staged.Operations)
			}
			if got := p.find(t, "up").Data["s"]; got != "old" {
				t.Errorf("staging has already written %v", got)
			}
			done, err := p.Commit(t.Context(), tx.ID)
			if err != nil || done.Status != appwrite.TransactionCommitted {
				t.Fatalf("committed %+v, %v", done, err)
			}
			for id, want := range map[string]any{
				"new": "made", "up": "changed", "upsert": "upserted", "more": json.Number("42"), "less": json.Number("2"),
				"c1": json.Number("1"), "bulk1": "bulk", "bare": nil, "c2": nil,
			} {
				data := p.find(t, id).Data
				if got := data["s"]; got != want && data["n"] != want {
					t.Errorf("%s holds %v, want %v", id, data, want)
				}
			}
			for _, id := range []string{"gone", "bulk2"} {
				_, err := p.FindDocument(t.Context(), p.database, p.collection, id)
				wantIs(t, err, appwrite.ErrNotFound)
			}
			found, err := p.FindTransaction(t.Context(), tx.ID)
			if err != nil || found.Status != appwrite.TransactionCommitted {
				t.Errorf("found %+v, %v", found, err)
			}
			_, err = p.Commit(t.Context(), tx.ID)
			wantIs(t, err, appwrite.ErrTransactionNotReady)
		})
	}
}

func TestTransactionConflictsWithALaterWriteAndAppliesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, ok := transacting(t, s)
			if !ok {
				return
			}
			p.create(t, "d", map[string]any{"s": "old"})
			tx := p.begin(t)
			_, err := p.StageOperations(t.Context(), tx.ID, p.on(
				appwrite.Operation{Action: appwrite.ActionCreate, Document: "e", Data: map[string]any{"s": "x"}},
				appwrite.Operation{Action: appwrite.ActionUpdate, Document: "d", Data: map[string]any{"s": "ours"}},
			))
			if err != nil {
				t.Fatal(err)
			}
			untilNextMillisecond()
			if _, err := p.UpdateDocument(t.Context(), p.database, p.collection, "d", appwrite.DocumentPatch{Data: map[string]any{"s": "theirs"}}, appwrite.Guard{}); err != nil {
				t.Fatal(err)
			}
			_, err = p.Commit(t.Context(), tx.ID)
			wantIs(t, err, appwrite.ErrConflict)
			if got := appwrite.Classify(err); got != appwrite.Permanent {
				t.Errorf("a conflict is %v", got)
			}
			if got := p.find(t, "d").Data["s"]; got != "theirs" {
				t.Errorf("stored %v", got)
			}
			_, err = p.FindDocument(t.Context(), p.database, p.collection, "e")
			wantIs(t, err, appwrite.ErrNotFound)
		})
	}
}

func TestTransactionIsRolledBackAndDeleted(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, ok := transacting(t, s)
			if !ok {
				return
			}
			tx := p.begin(t)
			if _, err := p.StageOperations(t.Context(), tx.ID, p.on(appwrite.Operation{Action: appwrite.ActionCreate, Document: "e"})); err != nil {
				t.Fatal(err)
			}
			ended, err := p.RollbackTransaction(t.Context(), tx.ID)
			if err != nil || ended.Status != appwrite.TransactionFailed {
				t.Fatalf("got %+v, %v", ended, err)
			}
			if err := p.DeleteTransaction(t.Context(), tx.ID); err != nil {
				t.Fatal(err)
			}
			_, err = p.FindTransaction(t.Context(), tx.ID)
			wantIs(t, err, appwrite.ErrNotFound)
			_, err = p.FindDocument(t.Context(), p.database, p.collection, "e")
			wantIs(t, err, appwrite.ErrNotFound)
		})
	}
}

// The lookup of collections by id alone would mix up two databases in one request.
func TestStagedOperationsOnTwoDatabasesReachTheirOwn(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p, ok := transacting(t, s)
			if !ok {
				return
			}
			other := newPlace(t, p.Client, p.server)
			other.attributes(t, appwrite.Attribute{Key: "s", Type: appwrite.TypeString, Size: 20})
			tx := p.begin(t)
			operations := append(
				p.on(appwrite.Operation{Action: appwrite.ActionCreate, Document: "here", Data: map[string]any{"s": "x"}}),
				other.on(appwrite.Operation{Action: appwrite.ActionCreate, Document: "there", Data: map[string]any{"s": "x"}})...)
			if _, err := p.StageOperations(t.Context(), tx.ID, operations); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Commit(t.Context(), tx.ID); err != nil {
				t.Fatal(err)
			}
			p.find(t, "here")
			other.find(t, "there")
		})
	}
}

// Staging checks none of this, and commit fails or stores what cannot be read.
func TestOperationsAreCheckedBeforeTheyAreStaged(t *testing.T) {
	t.Parallel()
	endpoint, project, key := livetest.Target(t, "")
	p := newPlace(t, newClient(t, appwrite.Config{Endpoint: endpoint, Project: project, Key: key}), appwrite.Server{})
	junk := []string{"junk"}
	creates := []string{`create("any")`}
	for name, op := range map[string]appwrite.Operation{
		"drawn id":          {Action: appwrite.ActionCreate, Document: "unique()"},
		"no id":             {Action: appwrite.ActionDelete},
		"bad id":            {Action: appwrite.ActionUpdate, Document: "_x", Data: map[string]any{"s": "x"}},
		"nothing to change": {Action: appwrite.ActionUpdate, Document: "x"},
		"system field":      {Action: appwrite.ActionCreate, Document: "x", Data: map[string]any{"$createdAt": "x"}},
		"nested document":   {Action: appwrite.ActionCreate, Document: "x", Data: map[string]any{"r": map[string]any{"$id": "y"}}},
		"operator text":     {Action: appwrite.ActionCreate, Document: "x", Data: map[string]any{"s": `{"method":"toggle","values":[]}`}},
		"junk permission":   {Action: appwrite.ActionCreate, Document: "x", Permissions: &junk},
		"create permission": {Action: appwrite.ActionCreate, Document: "x", Permissions: &creates},
		"zero increment":    {Action: appwrite.ActionIncrement, Document: "x", Attribute: "n", By: "0"},
		"no attribute":      {Action: appwrite.ActionIncrement, Document: "x", By: "1"},
		"all updated":       {Action: appwrite.ActionBulkUpdate, Data: map[string]any{"s": "x"}},
		"all deleted":       {Action: appwrite.ActionBulkDelete},
		"no documents":      {Action: appwrite.ActionBulkCreate},
		"document no id":    {Action: appwrite.ActionBulkUpsert, Documents: []appwrite.Document{{Data: map[string]any{"s": "x"}}}},
		"unknown action":    {Action: "merge", Document: "x"},
	} {
		sent := 0
		c, err := p.With(appwrite.WithObserver(func(appwrite.Exchange) { sent++ }))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.StageOperations(t.Context(), "tx", p.on(op)); err == nil || sent > 0 {
			t.Errorf("%s: error %v, %d requests", name, err, sent)
		}
	}
	if _, err := p.StageOperations(t.Context(), "tx", make([]appwrite.Operation, 101)); err == nil {
		t.Error("101 operations were let through")
	}
}

func TestServersAreRecognised(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			version, err := c.Version(t.Context())
			if err != nil || version != server.Version {
				t.Errorf("version %q, %v", version, err)
			}
			size, err := c.QueueSize(t.Context())
			if err != nil || size < 0 {
				t.Errorf("queue of %d, %v", size, err)
			}
			newPlace(t, c, server)
			backend, err := c.Backend(t.Context())
			if err != nil || backend == "" {
				t.Errorf("backend %q, %v", backend, err)
			}
			want := map[string]appwrite.CAS{"1.7.4": appwrite.CASNone, "1.8.1": appwrite.CASNarrow, "1.9.6": appwrite.CASLocked}
			if got := server.Capabilities.CAS; got != want[version] {
				t.Errorf("%s has CAS %q", version, got)
			}
		})
	}
}

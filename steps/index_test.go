package steps_test

import (
	"errors"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/steps"
)

func TestIndexOfEveryTypeIsCreatedAndDeleted(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp", "Chair")
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"})
		index := func(key, kind string, attributes ...string) steps.CreateIndex {
			return steps.CreateIndex{Database: b.database, Collection: "products", Key: key, Type: kind, Attributes: attributes}
		}
		ordered, cut := index("ordered", steps.Key, "n", "title"), index("cut", steps.Key, "title")
		ordered.Orders, cut.Lengths = []string{"desc", "ASC"}, []int{10}
		list := []engine.Step{
			index("plain", steps.Key, "title"), index("unique", steps.Unique, "title", "n"), index("text", steps.Fulltext, "title"),
			index("times", steps.Key, "$createdAt", "$id"), ordered, cut,
		}
		if b.can.Spatial {
			b.products2()
			spatial := index("spatial", steps.Spatial, "at")
			spatial.Collection = "places"
			list = append(list, spatial)
		}
		b.cycle(list...)
		b.do(list...)
		b.cycle(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "ordered"})
	})
}

// products2 makes an empty collection with a required point, which a spatial
// index needs.
func (b *bench) products2() {
	b.t.Helper()
	b.do(
		steps.CreateCollection{Database: b.database, ID: "places", Name: "Places"},
		steps.CreateAttribute{Database: b.database, Collection: "places", Key: "at", Type: "point", Required: true},
	)
}

func TestIndexThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products()
		create := steps.CreateIndex{Database: b.database, Collection: "products", Key: "i", Type: steps.Key, Attributes: []string{"nothing"}}
		b.wantErr(create, steps.ErrMissing, "nothing")
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "tags", Type: "string", Size: 20, Array: true},
			steps.CreateRelationship{Database: b.database, Collection: "products", Key: "like", Related: "products", Type: steps.OneToOne, TwoWayKey: "liked"},
		)
		create.Attributes = []string{"like"}
		b.wantErr(create, steps.ErrRefused, "relationship")
		create.Attributes = []string{"tags"}
		if !b.can.ArrayIndexes {
			b.wantErr(create, steps.ErrRefused, "array")
			return
		}
		b.cycle(create)
	})
}

func TestUniqueIndexNamesTheDocumentsThatAreAlike(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Café", "other", "CAFE ")
		b.document("products", "null1", map[string]any{"title": nil})
		b.document("products", "null2", map[string]any{"title": nil})
		unique := steps.CreateIndex{Database: b.database, Collection: "products", Key: "u", Type: steps.Unique, Attributes: []string{"title"}}
		b.wantErr(unique, steps.ErrDuplicates, "p0, p2", "1 document repeats")
		unique.Attributes = []string{"title", "$id"}
		b.do(unique)
	})
}

func TestUniqueIndexThatTheServerOnlyPretendsToHaveIsFoundOut(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		b.products("a")
		step := b.bound(steps.CreateIndex{Database: b.database, Collection: "products", Key: "u", Type: steps.Unique, Attributes: []string{"title"}})
		site := b.site()
		memento, err := step.Capture(b.t.Context(), site)
		if err != nil {
			b.t.Fatal(err)
		}
		server.Worker().Pause()
		if _, err := step.Apply(b.t.Context(), site, memento); err != nil {
			b.t.Fatal(err)
		}
		b.document("products", "twin", map[string]any{"title": "A"})
		server.Worker().Resume()
		if err := step.Settle(b.t.Context(), site, memento); !errors.Is(err, steps.ErrDuplicates) {
			b.t.Errorf("settle: %v, want ErrDuplicates", err)
		}
	})
}

func TestDeletedIndexThatIsNotUniqueAnyMoreStaysDeleted(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("a")
		b.do(steps.CreateIndex{Database: b.database, Collection: "products", Key: "u", Type: steps.Unique, Attributes: []string{"title"}})
		made := b.do(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "u"})
		b.document("products", "twin", map[string]any{"title": "a"})
		inverse, err := made[0].step.Inverse(made[0].before, made[0].after)
		if err != nil {
			b.t.Fatal(err)
		}
		b.wantErr(inverse[0], steps.ErrDuplicates, "twin")
	})
}

func TestWhatTheWorkerCannotDoIsDoneAnew(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		b.patient(server)
		b.products("a")
		b.do(steps.CreateCollection{Database: b.database, ID: "makers", Name: "Makers"})
		for _, kind := range []appwritetest.JobKind{
			appwritetest.CreateAttribute, appwritetest.CreateIndex, appwritetest.DeleteAttribute, appwritetest.DeleteIndex,
		} {
			for _, outcome := range []appwritetest.Outcome{appwritetest.Fail, appwritetest.DieBefore, appwritetest.DieAfter} {
				if kind == appwritetest.CreateIndex && outcome == appwritetest.DieBefore ||
					kind == appwritetest.DeleteIndex && outcome == appwritetest.DieAfter {
					continue // an index that storage does not have can never be deleted again
				}
				fault := server.Worker().Inject(appwritetest.JobFault{Match: appwritetest.JobMatch{Kind: kind}, Times: 1, Outcome: outcome})
				b.cycle(
					steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"},
					steps.CreateIndex{Database: b.database, Collection: "products", Key: "i", Type: steps.Key, Attributes: []string{"n"}},
				)
				if fault.Hits() != 1 {
					b.t.Errorf("%s, outcome %d: %d hits, want 1", kind, outcome, fault.Hits())
				}
			}
		}
		for _, outcome := range []appwritetest.Outcome{appwritetest.Fail, appwritetest.DieBefore, appwritetest.DieAfter} {
			server.Worker().Inject(appwritetest.JobFault{
				Match: appwritetest.JobMatch{Kind: appwritetest.CreateAttribute}, Times: 1, Outcome: outcome,
			})
			b.cycle(steps.CreateRelationship{
				Database: b.database, Collection: "products", Key: "maker", Related: "makers", Type: steps.ManyToOne, TwoWay: true,
			})
		}
	})
}

// patient lets the worker go on, and do all it can, in every wait, which takes no
// other time: what stands still after that is lost, however busy the machine is.
func (b *bench) patient(server *appwritetest.Server) {
	b.t.Helper()
	clock := outage.NewClock(0, func() {
		server.Worker().Resume()
		if err := server.Worker().Idle(b.t.Context()); err != nil {
			b.t.Error(err)
		}
	})
	var err error
	if b.client, err = b.client.With(appwrite.WithClock(clock), appwrite.WithWait(time.Minute)); err != nil {
		b.t.Fatal(err)
	}
	if b.codec, err = steps.NewCodec(b.client, nil); err != nil {
		b.t.Fatal(err)
	}
}

// TestIndexThatIsBeingRemovedIsNoneInTheWay removes an index behind a run's back,
// as its own late request does when it is undone.
func TestIndexThatIsBeingRemovedIsNoneInTheWay(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		b.patient(server)
		b.products("a")
		create := steps.CreateIndex{Database: b.database, Collection: "products", Key: "i", Type: steps.Key, Attributes: []string{"title"}}
		b.do(create)
		before := b.state()
		server.Worker().Pause() // until somebody waits
		if err := b.client.DeleteIndex(b.t.Context(), b.database, "products", "i"); err != nil {
			b.t.Fatal(err)
		}
		b.do(create)
		b.wantSame("after it was made again", before, b.state())

		server.Worker().Inject(appwritetest.JobFault{Match: appwritetest.JobMatch{Kind: appwritetest.DeleteIndex}, Times: 1, Outcome: appwritetest.DieBefore})
		if err := b.client.DeleteIndex(b.t.Context(), b.database, "products", "i"); err != nil {
			b.t.Fatal(err)
		}
		if _, err := b.bound(create).Capture(b.t.Context(), b.site()); !errors.Is(err, steps.ErrExists) {
			b.t.Errorf("over one whose removal is lost: %v, want ErrExists", err)
		}
	})
}

func TestWorkerThatNeverSucceedsEndsTheStep(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		b.products()
		server.Worker().Inject(appwritetest.JobFault{Match: appwritetest.JobMatch{Kind: appwritetest.CreateAttribute, Key: "n"}})
		step, site := b.bound(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"}), b.site()
		if _, err := step.Apply(b.t.Context(), site, nil); err != nil {
			b.t.Fatal(err)
		}
		var status *appwrite.StatusError
		if err := step.Settle(b.t.Context(), site, nil); !errors.As(err, &status) || status.Status != appwrite.StatusFailed {
			b.t.Fatalf("settle: %v, want a failed status", err)
		}
		finding := b.wantState(step, site, nil, engine.StatePartial)
		if finding.Detail == "" {
			b.t.Error("a partial finding does not say what is partial")
		}
		// The undo of what is there removes it.
		inverse, err := step.Inverse(nil, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		before := b.state()
		b.do(inverse...)
		if len(b.state()) != len(before)-1 {
			b.t.Errorf("the undo left %v", b.state())
		}
	})
}

// onEmbedded is onEveryVersion for tests that control the server's worker.
func onEmbedded(t *testing.T, test func(b *bench, server *appwritetest.Server)) {
	t.Helper()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := livetest.Embedded(t, version)
			b := &bench{t: t, store: journaltest.NewMemory(), database: "shop"}
			b.endpoint, b.project, b.key = server.Endpoint(), server.Project(), server.Key()
			b.connect()
			b.do(steps.CreateDatabase{ID: b.database, Name: "Shop"})
			test(b, server)
		})
	}
}

// TestIndexOnAListChangesAndChangesBack holds where lists can be indexed: the
// server chooses length and order itself there, which is nobody's change.
func TestIndexOnAListChangesAndChangesBack(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if !b.can.ArrayIndexes {
			b.t.Skip("this server does not index lists")
		}
		b.products("Lamp")
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "tags", Type: "string", Size: 20, Array: true},
			steps.CreateIndex{Database: b.database, Collection: "products", Key: "by", Type: steps.Key, Attributes: []string{"title"}, Orders: []string{"ASC"}},
		)
		update := steps.UpdateIndex{Database: b.database, Collection: "products", Key: "by", Type: steps.Key, Attributes: []string{"tags"}, Orders: []string{"ASC"}}
		b.cycle(update)
		update.Lengths = []int{10}
		b.cycle(update)
	})
}

// TestIndexOnAListIsWhatTheServerMakesOfIt holds where lists can be indexed:
// the server gives them a length of 255 and no order, whatever was asked for.
func TestIndexOnAListIsWhatTheServerMakesOfIt(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		b.do(
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "tags", Type: "string", Size: 20, Array: true},
			steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"},
		)
		for _, step := range []steps.CreateIndex{
			{Attributes: []string{"tags"}, Lengths: []int{10}},
			{Attributes: []string{"tags"}, Lengths: []int{255}, Orders: []string{"DESC"}},
			{Attributes: []string{"title", "tags"}},
			{Attributes: []string{"title", "tags"}, Lengths: []int{8, 10}, Orders: []string{"desc", "DESC"}},
			{Attributes: []string{"tags", "title"}, Lengths: []int{0, 8}, Orders: []string{"ASC", "DESC"}},
			{Attributes: []string{"n", "title", "tags"}, Lengths: []int{0, 8, 3}, Orders: []string{"DESC"}},
		} {
			step.Database, step.Collection, step.Key, step.Type = b.database, "products", "by", steps.Key
			if !b.can.ArrayIndexes {
				b.wantErr(step, steps.ErrRefused, "array")
				continue
			}
			b.cycle(step)
			b.do(step)
			b.cycle(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "by"})
			b.do(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "by"})
		}
	})
}

// TestLengthOfTextIsTakenForWhatItIs: 255 is what lists get, and a length like
// any other where there is none.
func TestLengthOfTextIsTakenForWhatItIs(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "long", Type: "string", Size: 300})
		whole := steps.CreateIndex{Database: b.database, Collection: "products", Key: "by", Type: steps.Key, Attributes: []string{"long"}}
		made := b.do(whole)
		b.do(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "by"})
		whole.Lengths = []int{255}
		b.do(whole) // somebody else's
		b.wantState(made[0].step, b.site(), made[0].before, engine.StateForeign)
	})
}

// TestOrderNotGivenIsAscending pins that the two ways to say it are no change.
func TestOrderNotGivenIsAscending(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp")
		b.do(steps.CreateAttribute{Database: b.database, Collection: "products", Key: "n", Type: "integer"})
		step := steps.CreateIndex{Database: b.database, Collection: "products", Key: "by", Type: steps.Key, Attributes: []string{"n", "title"}, Orders: []string{"DESC"}}
		made := b.do(step)
		b.do(steps.DeleteIndex{Database: b.database, Collection: "products", Key: "by"})
		step.Orders = []string{"DESC", "ASC"}
		b.do(step)
		b.wantState(made[0].step, b.site(), made[0].before, engine.StateAfter)
	})
}

package replica_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// shop is a project with related documents, one of them as today's rules would
// not take it.
const shop = `
database: shop
steps:
  - create_database: { id: shop, name: Shop }
  - create_collection: { id: makers, name: Makers }
  - create_attribute: { collection: makers, key: name, type: string, size: 40 }
  - create_collection: { id: products, name: Products, permissions: ['read("any")'], document_security: true }
  - create_attribute: { collection: products, key: title, type: string, size: 40 }
  - create_attribute: { collection: products, key: tags, type: string, size: 10, array: true }
  - create_attribute: { collection: products, key: price, type: float, min: 0 }
  - create_relationship: { collection: products, key: maker, related: makers, type: manyToOne, two_way: true, two_way_key: products, on_delete: setNull }
  - create_index: { collection: products, key: by_title, type: key, attributes: [title] }
  - create_document: { collection: makers, id: acme, data: { name: Acme } }
  - create_document: { collection: products, id: lamp, data: { title: Lamp, tags: [b, a], price: 9.5, maker: acme }, permissions: ['update("users")'] }
  - create_document: { collection: products, id: chair, data: { title: Chair, maker: acme } }
  - create_document: { collection: products, id: ghost, data: { price: 1 } }
`

func parse(t *testing.T, version, name, text string) *migrations.Migration {
	t.Helper()
	m, err := migrations.Parse("migrations/"+version+"_"+name+".yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// live is a project in its place, and a count of what is asked of it beside reads.
type live struct {
	server *livetest.Server
	client *appwrite.Client
	writes *atomic.Int64
}

func newLive(t *testing.T, version string) live {
	t.Helper()
	server := livetest.Start(t, version)
	client, err := appwrite.New(appwrite.Config{Endpoint: server.Endpoint, Project: server.Project, Key: server.Key})
	if err != nil {
		t.Fatal(err)
	}
	return live{server: server, client: client, writes: &atomic.Int64{}}
}

// watch counts, from now on, the requests that are no reads.
func (l live) watch() {
	l.server.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Where: func(r *http.Request, _ []byte) bool {
			if r.Method != http.MethodGet {
				l.writes.Add(1)
			}
			return r.Method != http.MethodGet
		}},
		Action: appwritetest.RefuseBefore(),
	})
}

// state is all that the project holds, read without our client.
func (l live) state(t *testing.T) string {
	t.Helper()
	reader := oracle.Reader{Endpoint: l.server.Endpoint, Project: l.server.Project, Key: l.server.Key}
	snapshot, err := reader.Read(t.Context(), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.String()
}

// up applies migrations to the project.
func (l live) up(t *testing.T, list ...*migrations.Migration) {
	t.Helper()
	set, err := migrations.NewSet(list...)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := migrations.NewCodec(l.client, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	store := journaltest.NewMemory()
	e, err := engine.New(store, codec, engine.WithClassifier(steps.Classify), engine.WithQuarantine(0))
	if err != nil {
		t.Fatal(err)
	}
	r, err := migrations.NewRunner(set, e, store, l.client, codec)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Up(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
}

func versions(t *testing.T) []string {
	t.Helper()
	if livetest.Live() {
		t.Skip("replicas are embedded; what is live is, too")
	}
	return livetest.Versions()
}

func TestReplayAddsUpWhatTheMigrationsDoToTheSchema(t *testing.T) {
	t.Parallel()
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			first := parse(t, "20260101000001", "shop", shop)
			second := parse(t, "20260101000002", "change", `
database: shop
steps:
  - rename_attribute: { collection: products, key: title, new_key: name }
  - update_attribute: { collection: products, key: price, max: 100 }
  - delete_index: { collection: products, key: by_title }
  - delete_attribute: { collection: products, key: tags }
`)
			l := newLive(t, version)
			l.up(t, first, second)
			want, err := schema.Live(t.Context(), l.client, migrations.DefaultHistoryDatabase)
			if err != nil {
				t.Fatal(err)
			}
			profile, err := replica.ProfileOf(t.Context(), l.client)
			if err != nil {
				t.Fatal(err)
			}
			state, err := replica.Replay(t.Context(), []*migrations.Migration{first, second}, profile)
			if err != nil {
				t.Fatal(err)
			}
			if diff := schema.Compare(want, state.Model); len(diff) > 0 {
				t.Errorf("the replay is not the project: %v", diff)
			}
			for path, since := range map[string]*migrations.Migration{
				"attribute shop/products/price|max": second, "attribute shop/products/price|min": first, "attribute shop/products/name|": second,
				"attribute shop/products/tags|": second, "collection shop/products|": first, "attribute shop/products/gone|": nil,
			} {
				object, field, _ := strings.Cut(path, "|")
				if got := state.Since(schema.Difference{Path: object, Field: field}); got != since {
					t.Errorf("%s is since %v", path, got)
				}
			}
		})
	}
}

func TestAReplayThatFailsNamesTheMigration(t *testing.T) {
	t.Parallel()
	profile, err := replica.ProfileFor("1.9.6")
	if err != nil {
		t.Fatal(err)
	}
	broken := parse(t, "20260101000001", "broken", "steps:\n  - create_collection: { database: gone, id: a, name: A }\n")
	_, err = replica.Replay(t.Context(), []*migrations.Migration{broken}, profile)
	var failed *replica.ReplayError
	if !errors.As(err, &failed) || failed.Migration != broken || !strings.Contains(err.Error(), "20260101000001_broken") {
		t.Errorf("the error is %v", err)
	}
}

func TestAStepInGoIsSaidNotToBeReplayed(t *testing.T) {
	t.Parallel()
	m := migrations.New("20260101000001", "go", func(b *steps.Builder) {
		b.Database("d").Create("D")
		b.Func(steps.Func{Name: "fix", Version: "1", Do: func(context.Context, sdk.Client) error { return nil }})
	})
	profile, err := replica.ProfileFor("1.9.6")
	if err != nil {
		t.Fatal(err)
	}
	state, err := replica.Replay(t.Context(), []*migrations.Migration{m}, profile)
	if err != nil || len(state.Notices) != 1 || !strings.Contains(state.Notices[0], "is Go") {
		t.Errorf("notices %v, error %v", state.Notices, err)
	}
}

func TestAVersionBeyondTheEmbeddedServersBecomesTheNearestAndIsSaid(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"1.9.6": "1.9.6", "1.8.1": "1.8.1", "1.10.0": "1.9.6", "2.0.0": "1.9.6", "1.6.2": "1.7.0"} {
		profile, err := replica.ProfileFor(version)
		if err != nil || profile.Version != want || (len(profile.Notices) > 0) != (version != want) {
			t.Errorf("%s becomes %+v, %v", version, profile, err)
		}
	}
	if _, err := replica.ProfileFor("latest"); err == nil {
		t.Error("a version that is none is taken")
	}
}

func TestACloneIsLikeTheProjectWhichIsOnlyRead(t *testing.T) {
	t.Parallel()
	for _, version := range versions(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			l := newLive(t, version)
			l.up(t, parse(t, "20260101000001", "shop", shop))
			patch := appwrite.AttributePatch{Type: "string", Required: true} // which ghost does not have
			if _, err := l.client.UpdateAttribute(t.Context(), "shop", "products", "title", patch); err != nil {
				t.Fatal(err)
			}
			l.watch()
			profile, err := replica.ProfileOf(t.Context(), l.client)
			if err != nil {
				t.Fatal(err)
			}
			r, err := replica.Start(t.Context(), profile)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			copied, err := r.Clone(t.Context(), l.client, replica.Sample{Each: 100}, migrations.DefaultHistoryDatabase)
			if err != nil {
				t.Fatal(err)
			}
			if len(copied.Notices) > 0 {
				t.Errorf("notices: %v", copied.Notices)
			}
			if !copied.Complete("shop", "products") {
				t.Errorf("not all of it is there: %+v", copied.Collections)
			}
			if n := l.writes.Load(); n > 0 {
				t.Errorf("%d writes were sent to the project", n)
			}
			got, err := schema.Live(t.Context(), r.Client)
			if err != nil {
				t.Fatal(err)
			}
			if diff := schema.Compare(copied.Model, got); len(diff) > 0 {
				t.Errorf("the schema differs: %v", diff)
			}
			for _, id := range []string{"lamp", "chair", "ghost"} {
				was, is := document(t, l.client, id), document(t, r.Client, id)
				if was != is {
					t.Errorf("document %s is %s, not %s", id, is, was)
				}
			}
		})
	}
}

// document gives what a copy keeps of a product, links included.
func document(t *testing.T, client *appwrite.Client, id string) string {
	t.Helper()
	server, err := client.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	if server.Capabilities.Timestamps {
		fields = []string{"*", "maker.*"}
	}
	d, err := client.FindDocument(t.Context(), "shop", "products", id, fields...)
	if err != nil {
		t.Fatal(err)
	}
	times := ""
	if server.Capabilities.Timestamps {
		times = d.CreatedAt + " " + d.UpdatedAt
	}
	slices.Sort(d.Permissions)
	return fmt.Sprint(times, d.Permissions, d.Data)
}

func TestASampleLeavesOutLinksToWhatIsNotInItAndSaysSo(t *testing.T) {
	t.Parallel()
	versions(t)
	l := newLive(t, "1.9.6")
	l.up(t, parse(t, "20260101000001", "shop", shop), parse(t, "20260101000002", "more", `
database: shop
steps:
  - create_document: { collection: makers, id: zeta, data: { name: Zeta } }
  - create_document: { collection: products, id: zed, data: { title: Zed, maker: zeta } }
`))
	profile, err := replica.ProfileOf(t.Context(), l.client)
	if err != nil {
		t.Fatal(err)
	}
	r, err := replica.Start(t.Context(), profile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	named := replica.DocumentRef{Database: "shop", Collection: "products", ID: "zed"}
	copied, err := r.Clone(t.Context(), l.client, replica.Sample{Each: 1, Named: []replica.DocumentRef{named, {Database: "shop", Collection: "products", ID: "none"}}}, migrations.DefaultHistoryDatabase)
	if err != nil {
		t.Fatal(err)
	}
	if copied.Complete("shop", "products") || !copied.Complete("shop", "nowhere") {
		t.Errorf("copied: %+v", copied.Collections)
	}
	if got := strings.Join(copied.Notices, "\n"); !strings.Contains(got, "1 links of shop/products/maker lead to documents that are not in the copy") {
		t.Errorf("notices: %s", got)
	}
	page, err := r.Client.ListDocuments(t.Context(), "shop", "products")
	if err != nil || page.Total != 2 {
		t.Errorf("%d products, %v", page.Total, err)
	}
}

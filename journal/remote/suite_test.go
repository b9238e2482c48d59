package remote_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/remote"
)

func TestRemotePassesTheSuite(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			journaltest.Run(t, journaltest.Backend{New: func(t *testing.T) journaltest.Opened {
				t.Helper()
				p := projectOf(t, livetest.Start(t, version))
				return journaltest.Opened{
					Store:       p.open(t),
					Reopen:      func(t *testing.T) journal.Store { t.Helper(); return p.open(t) },
					Damage:      p.damage,
					DamageBlobs: p.damageBlobs,
				}
			}})
		})
	}
}

// project is a project whose journal is looked at behind the store's back.
type project struct {
	client   *appwrite.Client
	database string // of the journal
	shop     string // a database beside it, in which operations act
}

// projectOf gives the part of a server's project that belongs to this test.
func projectOf(tb testing.TB, srv *livetest.Server, opts ...appwrite.Option) project {
	tb.Helper()
	space := livetest.NewSpace(tb)
	return project{client: client(tb, srv, opts...), database: space.ID("backstep"), shop: space.ID("shop")}
}

// via gives the same project through another client.
func (p project) via(tb testing.TB, srv *livetest.Server, opts ...appwrite.Option) project {
	tb.Helper()
	p.client = client(tb, srv, opts...)
	return p
}

func (p project) open(tb testing.TB, opts ...remote.Option) *remote.Store {
	tb.Helper()
	store, err := remote.Open(tb.Context(), p.client, p.database, append([]remote.Option{remote.WithClock(fast{})}, opts...)...)
	must(tb, err)
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// documents gives everything in a collection.
func (p project) documents(tb testing.TB, collection string) []appwrite.Document {
	tb.Helper()
	var all []appwrite.Document
	for page, err := range p.client.Walk(tb.Context(), p.database, collection, appwrite.WalkOptions{}) {
		must(tb, err)
		all = append(all, page...)
	}
	return all
}

func (p project) set(tb testing.TB, collection, id string, fields map[string]any) {
	tb.Helper()
	_, err := p.client.UpdateDocument(tb.Context(), p.database, collection, id, appwrite.DocumentPatch{Data: fields}, appwrite.Guard{})
	must(tb, err)
}

func number(tb testing.TB, doc appwrite.Document, column string) int64 {
	tb.Helper()
	n, err := doc.Data[column].(json.Number).Int64()
	must(tb, err)
	return n
}

// damage changes the bytes of one record.
func (p project) damage(t *testing.T, run string, seq int64, change func([]byte) []byte) {
	t.Helper()
	for _, doc := range p.documents(t, "records") {
		first, last := number(t, doc, "seq"), number(t, doc, "last")
		if doc.Data["run"] != run || seq < first || seq > last {
			continue
		}
		lines := strings.Split(doc.Data["records"].(string), "\n")
		lines[seq-first] = string(change([]byte(lines[seq-first])))
		p.set(t, "records", doc.ID, map[string]any{"records": strings.Join(lines, "\n")})
		return
	}
	t.Fatalf("no document holds record %d of run %s", seq, run)
}

// damageBlobs changes the bytes of blobs that are stored in one piece.
func (p project) damageBlobs(t *testing.T, change func(name string, data []byte) []byte) {
	t.Helper()
	for _, doc := range p.documents(t, "chunks") {
		data, err := base64.StdEncoding.DecodeString(doc.Data["data"].(string))
		must(t, err)
		p.set(t, "chunks", doc.ID, map[string]any{"data": base64.StdEncoding.EncodeToString(change(doc.Data["name"].(string), data))})
	}
}

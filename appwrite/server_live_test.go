package appwrite_test

import (
	"errors"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// served is a version of the server and a dialect that it speaks.
type served struct {
	version string
	dialect appwrite.Dialect
}

func (s served) String() string { return s.version + "/" + string(s.dialect) }

// servers are every version in every dialect that it speaks.
func servers() []served {
	var out []served
	for _, version := range livetest.Versions() {
		out = append(out, served{version, appwrite.DialectDatabases})
		if version >= "1.8" {
			out = append(out, served{version, appwrite.DialectTablesDB})
		}
	}
	return out
}

func (s served) client(t *testing.T) (*appwrite.Client, appwrite.Server) {
	t.Helper()
	endpoint, project, key := livetest.Target(t, s.version)
	c := newClient(t, appwrite.Config{Endpoint: endpoint, Project: project, Key: key}, appwrite.WithDialect(s.dialect))
	server, err := c.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c, server
}

func newClient(tb testing.TB, cfg appwrite.Config, opts ...appwrite.Option) *appwrite.Client {
	tb.Helper()
	c, err := appwrite.New(cfg, append([]appwrite.Option{appwrite.WithLogger(livetest.Logger(tb))}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// place is a database with one collection, for a test of its own.
type place struct {
	*appwrite.Client
	server               appwrite.Server
	database, collection string
}

func newPlace(t *testing.T, c *appwrite.Client, server appwrite.Server) place {
	t.Helper()
	p := place{Client: c, server: server, database: livetest.DatabaseID(t), collection: "things"}
	if _, err := c.CreateDatabase(t.Context(), appwrite.Database{ID: p.database, Name: "Test", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateCollection(t.Context(), p.database, appwrite.Collection{ID: p.collection, Name: "Things", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return p
}

// attributes creates attributes and waits for them.
func (p place) attributes(t *testing.T, attributes ...appwrite.Attribute) {
	t.Helper()
	var awaited []appwrite.Awaited
	for _, a := range attributes {
		if _, err := p.CreateAttribute(t.Context(), p.database, p.collection, a); err != nil {
			t.Fatalf("create attribute %s: %v", a.Key, err)
		}
		awaited = append(awaited, appwrite.Awaited{Collection: p.collection, Attribute: a.Key})
	}
	if err := p.WaitAvailable(t.Context(), p.database, awaited); err != nil {
		t.Fatal(err)
	}
}

func (p place) create(t *testing.T, id string, data map[string]any) appwrite.Document {
	t.Helper()
	d, err := p.CreateDocument(t.Context(), p.database, p.collection, appwrite.Document{ID: id, Data: data})
	if err != nil {
		t.Fatalf("create document %s: %v", id, err)
	}
	return d
}

func (p place) find(t *testing.T, id string) appwrite.Document {
	t.Helper()
	d, err := p.FindDocument(t.Context(), p.database, p.collection, id)
	if err != nil {
		t.Fatalf("find document %s: %v", id, err)
	}
	return d
}

// untilNextMillisecond waits for $updatedAt to be able to differ: its unit is
// the millisecond, and two writes within one look like one.
func untilNextMillisecond() { <-time.After(2 * time.Millisecond) }

func wantIs(t *testing.T, err error, targets ...error) {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("got error %v, want one that is %q", err, target)
		}
	}
}

package appwrite_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
)

// meddling gives a client in whose calls somebody else writes once, after the
// first read of a document.
func meddling(t *testing.T, p place, write func()) *appwrite.Client {
	t.Helper()
	var done atomic.Bool
	c, err := p.With(appwrite.WithObserver(func(e appwrite.Exchange) {
		if e.Method == http.MethodGet && strings.Contains(e.Path, "/documents") && done.CompareAndSwap(false, true) {
			write()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWriterBetweenReadAndWriteIsNoticedWhereItCannotBePrevented(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			if server.Capabilities.CAS != appwrite.CASNone {
				return // the server compares: see TestGuardedUpdateRefusesWhatSomebodyElseHasWritten
			}
			p := newPlace(t, c, server)
			p.attributes(t,
				appwrite.Attribute{Key: "ours", Type: appwrite.TypeString, Size: 20},
				appwrite.Attribute{Key: "theirs", Type: appwrite.TypeString, Size: 20},
			)
			read := p.create(t, "d", map[string]any{"ours": "a", "theirs": "a"})
			untilNextMillisecond()
			between := meddling(t, p, func() {
				patch := appwrite.DocumentPatch{Data: map[string]any{"theirs": "b"}}
				if _, err := c.UpdateDocument(t.Context(), p.database, p.collection, "d", patch, appwrite.Guard{}); err != nil {
					t.Error(err)
				}
			})
			patch := appwrite.DocumentPatch{Data: map[string]any{"ours": "b"}}
			got, err := between.UpdateDocument(t.Context(), p.database, p.collection, "d", patch, appwrite.Guard{UpdatedAt: read.UpdatedAt})
			wantIs(t, err, appwrite.ErrOverlapped)
			if got.Data["ours"] != "b" || got.Data["theirs"] != "b" {
				t.Errorf("got %v", got.Data)
			}
		})
	}
}

func TestNullOverADefaultIsReportedAsItIsStored(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			c, server := s.client(t)
			p := newPlace(t, c, server)
			p.attributes(t, appwrite.Attribute{Key: "d", Type: appwrite.TypeString, Size: 20, Default: json.RawMessage(`"dv"`)})
			read := p.create(t, "x", map[string]any{"d": "custom"})
			untilNextMillisecond()
			patch := appwrite.DocumentPatch{Data: map[string]any{"d": nil}}
			got, err := c.UpdateDocument(t.Context(), p.database, p.collection, "x", patch, appwrite.Guard{UpdatedAt: read.UpdatedAt})
			if err != nil {
				t.Fatal(err)
			}
			if stored := p.find(t, "x").Data["d"]; got.Data["d"] != stored {
				t.Errorf("reported %v, stored %v", got.Data["d"], stored)
			}
			if server.Capabilities.BulkDefaults {
				return
			}
			if _, err := c.UpdateDocuments(t.Context(), p.database, p.collection, patch, query.Equal("$id", "x")); err != nil {
				t.Fatal(err)
			}
			if stored := p.find(t, "x").Data["d"]; stored != nil {
				t.Errorf("a bulk update of null stored %v", stored)
			}
		})
	}
}

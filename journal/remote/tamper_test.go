package remote_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// written appends two runs with everything that can be stored of any: "run" has
// an archive, and records alone and together; "big", if asked for, has spilled
// records.
func written(t *testing.T, p project, spilled bool) {
	t.Helper()
	store := p.open(t)
	_, records := journaltest.Account(t, store, "run", journal.StatusHalted, journal.Started{})
	more := grown(t, records, "a", "b", "c")
	must(t, store.Append(t.Context(), more[0]))
	must(t, store.Append(t.Context(), more[1:]...))
	if !spilled {
		return
	}
	big := journaltest.Chain(t, "big", 1)
	must(t, store.Append(t.Context(), big...))
	must(t, store.Append(t.Context(), grown(t, big, strings.Repeat("long ", 60_000))...))
}

// grown gives records that follow others, one for each reason.
func grown(t *testing.T, records []journal.Record, reasons ...string) []journal.Record {
	t.Helper()
	last := records[len(records)-1]
	var out []journal.Record
	for _, reason := range reasons {
		r, err := journal.NewRecord(last.Next(), last.Run, last.Time.Add(time.Second), journal.RunFinished, "",
			journal.Finished{Status: journal.StatusHalted, Reason: reason})
		must(t, err)
		out, last = append(out, r), r
	}
	return out
}

// verify gives the record of a run that its verification names: 0 when all is well.
func verify(t *testing.T, store journal.Store, run string) int64 {
	t.Helper()
	_, err := journal.Verify(t.Context(), store, run)
	if err == nil {
		return 0
	}
	named, ok := errors.AsType[*journal.RecordError](err)
	if !ok || named.Run != run || !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged that names a record", err)
		return -1
	}
	return named.Seq
}

// holds gives the run and the first and last record that a document belongs to:
// its own, or the one that points at it.
func holds(t *testing.T, doc appwrite.Document) (run string, first, last int64) {
	t.Helper()
	if name, chunk := doc.Data["name"].(string); chunk {
		if strings.HasPrefix(name, "/records/") {
			return "big", 2, 2
		}
		return "run", 2, 2 // the intent points at the archive
	}
	return doc.Data["run"].(string), number(t, doc, "seq"), number(t, doc, "last")
}

// variants are the values that one byte less, more or otherwise makes of one.
func variants(value any) []any {
	switch v := value.(type) {
	case json.Number:
		n, _ := v.Int64()
		return []any{n + 1, n + 256, nil}
	case string:
		// Three places of a long text and every sixth of a short one, or a
		// seventh of all and every one.
		step := max(len(v)/3, 1)
		switch every := os.Getenv("BACKSTEP_CRASH") != ""; {
		case len(v) <= 64 && every:
			step = 1
		case len(v) <= 64:
			step = 6
		case len(v) < 5000 && every:
			step = 7
		}
		var out []any
		for i := 0; i < len(v); i += step {
			flipped := []byte(v)
			flipped[i] ^= 1
			if flipped[i] >= ' ' && flipped[i] < 0x7f {
				out = append(out, string(flipped))
			}
		}
		if len(v) > 64 {
			out = append(out, v+"x")
		}
		return append(out, v[:len(v)-1], "", nil)
	}
	return []any{"x"}
}

func TestAnyByteOfAnyDocumentChangedIsNoticedAndNamed(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			if version != "1.9.6" && os.Getenv("BACKSTEP_CRASH") == "" {
				t.Skip("where everything is asked for")
			}
			p := projectOf(t, livetest.Start(t, version))
			written(t, p, true)
			store := p.open(t)
			points := 0
			for _, collection := range []string{"records", "chunks"} {
				for _, doc := range p.documents(t, collection) {
					run, first, last := holds(t, doc)
					if seq := verify(t, store, run); seq != 0 {
						t.Fatalf("untouched: record %d", seq)
					}
					for _, column := range []string{"key", "run", "seq", "last", "edge", "records", "name", "part", "parts", "data"} {
						original, has := doc.Data[column]
						if !has || original == nil && column != "edge" {
							continue
						}
						for _, value := range variants(original) {
							if value == original {
								continue
							}
							p.set(t, collection, doc.ID, map[string]any{column: value})
							points++
							if seq := verify(t, store, run); seq < first || seq > last {
								t.Errorf("%s of %s/%s made %.40q: record %d is named, want %d to %d", column, collection, doc.ID, fmt.Sprint(value), seq, first, last)
							}
						}
						p.set(t, collection, doc.ID, map[string]any{column: original})
					}
				}
			}
			if seq := verify(t, store, "run") + verify(t, store, "big"); seq != 0 {
				t.Error("it is not as it was")
			}
			t.Logf("%d changes", points)
		})
	}
}

func TestARunWithADamagedEndIsListedAsSuch(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	written(t, p, false)
	store := p.open(t)
	for _, doc := range p.documents(t, "records") {
		_, first, last := holds(t, doc)
		newest := last == 7
		for _, column := range []string{"key", "run", "seq", "last", "edge", "records"} {
			original := doc.Data[column]
			for _, value := range variants(original) {
				if value == original || newest && (column == "key" || column == "seq") {
					continue // of the newest, these hide it; reading the run notices
				}
				p.set(t, "records", doc.ID, map[string]any{column: value})
				runs, err := store.Runs(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				noticed := slices.ContainsFunc(runs, func(r journal.Summary) bool { return r.Err != nil })
				if (first == 1 || newest) && !noticed {
					t.Errorf("%s of records/%s made %.40q: runs %v, want one with an error", column, doc.ID, fmt.Sprint(value), runs)
				}
			}
			p.set(t, "records", doc.ID, map[string]any{column: original})
		}
	}
}

func TestADocumentTakenAwayIsNoticedAndNamed(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			p := projectOf(t, livetest.Start(t, version))
			written(t, p, true)
			store := p.open(t)
			for _, collection := range []string{"records", "chunks"} {
				for _, doc := range p.documents(t, collection) {
					run, first, last := holds(t, doc)
					if collection == "records" && (run == "run" && last == 7 || run == "big") {
						// The newest records alone, or all, may be missing without a
						// trace: the history in the project tells of the run.
						continue
					}
					must(t, p.client.DeleteDocument(t.Context(), p.database, collection, doc.ID, appwrite.Guard{}))
					if seq := verify(t, store, run); seq < first || seq > last {
						t.Errorf("without %s/%s record %d is named, want %d", collection, doc.ID, seq, first)
					}
					_, err := p.client.CreateDocument(t.Context(), p.database, collection, appwrite.Document{ID: doc.ID, Data: doc.Data})
					must(t, err)
				}
			}
			if seq := verify(t, store, "run") + verify(t, store, "big"); seq != 0 {
				t.Error("it is not as it was")
			}
		})
	}
}

func TestDocumentsThatChangePlacesAreNoticedAndNamed(t *testing.T) {
	t.Parallel()
	p := projectOf(t, livetest.Start(t, "1.9.6"))
	written(t, p, true)
	store := p.open(t)
	docs := p.documents(t, "records")
	for i, one := range docs {
		for _, two := range docs[i+1:] {
			run, first, _ := holds(t, one)
			p.set(t, "records", one.ID, map[string]any{"records": two.Data["records"]})
			p.set(t, "records", two.ID, map[string]any{"records": one.Data["records"]})
			if seq := verify(t, store, run); seq != first {
				t.Errorf("%s and %s: record %d of run %s is named, want %d", one.ID, two.ID, seq, run, first)
			}
			p.set(t, "records", one.ID, map[string]any{"records": one.Data["records"]})
			p.set(t, "records", two.ID, map[string]any{"records": two.Data["records"]})
		}
	}
}

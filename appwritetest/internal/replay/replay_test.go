package replay_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest/internal/replay"
)

// scripted answers the n-th request with the n-th body.
type scripted struct {
	url      string
	requests []string
	events   []string
}

func (s *scripted) Endpoint() string               { return s.url + "/v1" }
func (s *scripted) Project() string                { return "test" }
func (s *scripted) Key() string                    { return "all" }
func (s *scripted) AddKey(scopes ...string) string { return strings.Join(scopes, "+") }
func (s *scripted) Pause()                         { s.events = append(s.events, "pause") }
func (s *scripted) Resume()                        { s.events = append(s.events, "resume") }
func (s *scripted) Idle(context.Context) error     { s.events = append(s.events, "idle"); return nil }

func serve(t *testing.T, answers ...string) *scripted {
	t.Helper()
	s := &scripted{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[len(s.requests)]
		s.requests = append(s.requests, r.Method+" "+r.RequestURI+" "+r.Header.Get("X-Appwrite-Key"))
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write([]byte(answer)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func play(t *testing.T, s *scripted, scenario string, lines ...string) []replay.Mismatch {
	t.Helper()
	rec := replay.Recording{Version: "1.9.6", Dialect: "legacy", Scenario: scenario}
	for _, line := range lines {
		var exchange replay.Exchange
		if err := json.Unmarshal([]byte(line), &exchange); err != nil {
			t.Fatal(err)
		}
		rec.Exchanges = append(rec.Exchanges, exchange)
	}
	player := &replay.Player{Server: s, Worker: s, Clock: replay.NewClock(), HTTP: http.DefaultClient}
	mismatches, err := player.Play(t.Context(), rec)
	if err != nil {
		t.Fatal(err)
	}
	return mismatches
}

func get(body, more string) string {
	return `{"request":{"method":"GET","path":"/a"},"response":{"status":200,"body":` + body + `}` + more + `}`
}

func TestAnswersAreComparedByKeysTypesAndValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want, got string
		diffs     []string
	}{
		"equal":              {`{"a":1,"b":[true,null]}`, `{"b":[true,null],"a":1}`, nil},
		"missing key":        {`{"a":1}`, `{}`, []string{`body.a: missing, want 1`}},
		"unwanted key":       {`{}`, `{"a":null}`, []string{`body.a: not wanted, got null`}},
		"string for number":  {`{"a":1}`, `{"a":"1"}`, []string{`body.a: want 1, got "1"`}},
		"float for integer":  {`{"a":5}`, `{"a":5.0}`, []string{`body.a: want 5, got 5.0`}},
		"forms of one float": {`{"a":1e+21}`, `{"a":1.0e+21}`, nil},
		"list order":         {`[1,2]`, `[2,1]`, []string{"body[0]: want 1, got 2", "body[1]: want 2, got 1"}},
		"list length":        {`[1]`, `[1,2]`, []string{"body: want 1 elements [1], got 2 [1,2]"}},
		"time near":          {`["<time>"]`, `["2026-11-22T12:00:00.000+00:00"]`, nil},
		"time far":           {`["<time>"]`, `["2020-01-01T00:00:00.000+00:00"]`, []string{`body[0]: want a time near 2026-11-22T12:00:00.010+00:00, got "2020-01-01T00:00:00.000+00:00"`}},
		"empty text":         {`["<text>"]`, `[""]`, []string{`body[0]: want <text>, got an empty string`}},
		"anything":           {`"<any>"`, `{"x":1}`, nil},
		"integer":            {`["<int>"]`, `[7]`, nil},
		"no integer":         {`["<int>"]`, `[7.5]`, []string{`body[0]: want "<int>", got 7.5`}},
		"sequence kinds":     {`["<seq:int:1>","<seq:string:2>"]`, `["1",2]`, []string{`body[0]: want <seq:int:1>, got "1"`, `body[1]: want "<seq:string:2>", got 2`}},
		"id shape":           {`["<id:1>"]`, `["abc"]`, []string{`body[0]: want <id:1>, got "abc"`}},
		"one id twice":       {`["<id:1>","<id:1>"]`, `["1_2_x","1_3_x"]`, []string{`body[1]: want <id:1> = "1_2_x", as before; got "1_3_x"`}},
		"two ids alike":      {`["<id:1>","<id:2>"]`, `["1_2_x","1_2_x"]`, []string{`body[1]: want a new value for <id:2>; got "1_2_x", which is <id:1>`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var diffs []string
			for _, mismatch := range play(t, serve(t, c.got), "x", get(c.want, "")) {
				diffs = append(diffs, mismatch.Diffs...)
			}
			if d := cmp.Diff(c.diffs, diffs); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestBoundValuesReachLaterRequests(t *testing.T) {
	t.Parallel()
	s := serve(t, `{"$id":"1_2_x"}`, `{}`)
	mismatches := play(t, s, "x",
		get(`{"$id":"<id:1>"}`, ""),
		`{"request":{"method":"GET","path":"/b/<id:1>?q=%3Cid:1%3E","headers":{"X-Appwrite-Key":"<limited>"}},
		  "response":{"status":200,"body":{}},"note":"key with only a.read, b.read"}`)
	if len(mismatches) > 0 {
		t.Error(mismatches)
	}
	want := []string{"GET /v1/a all", "GET /v1/b/1_2_x?q=1_2_x a.read+b.read"}
	if d := cmp.Diff(want, s.requests); d != "" {
		t.Error(d)
	}
}

func TestNotesDecideWhatIsCompared(t *testing.T) {
	t.Parallel()
	const record = `{"$id":"a","$updatedAt":"2026-11-22T12:00:00.000+00:00"}`
	const masked = `{"$id":"a","$updatedAt":"<time>"}`
	mismatches := play(t, serve(t, record, record, record, `{"total":3,"documents":[{"$id":"a"}]}`), "x",
		get(masked, ""),
		get(masked, `,"note":"$updatedAt:unchanged"`),
		get(masked, `,"note":"$updatedAt:changed"`),
		get(`{"total":9,"documents":["a"]}`, `,"note":"documents reduced to ids; total is not comparable"`))
	if len(mismatches) != 1 || mismatches[0].Line != 3 {
		t.Errorf("want only the third exchange to differ, got %v", mismatches)
	}
}

func TestWorkerIsFrozenWherePausedScenariosLeaveASchemaChangeUnawaited(t *testing.T) {
	t.Parallel()
	s := serve(t, `{}`, `{}`, `{}`, `{}`)
	change := `{"request":{"method":"POST","path":"/databases/d/collections/c/attributes/string"},"response":{"status":202,"body":{}}}`
	await := get(`{}`, `,"await":{"until":"available","ms":40}`)
	play(t, s, "paused_x", change, await, change, get(`{}`, ""))
	if d := cmp.Diff([]string{"idle", "idle", "pause"}, s.events); d != "" {
		t.Error(d)
	}
}

func TestFoldersAndArchivesHoldTheSame(t *testing.T) {
	t.Parallel()
	archived, err := replay.Load(filepath.Join("..", "..", "..", "testdata", "recordings"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	first := archived[0]
	if err := os.Mkdir(filepath.Join(dir, first.Version), 0o700); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, exchange := range first.Exchanges {
		line, err := json.Marshal(exchange)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	name := filepath.Join(dir, first.Version, first.Scenario+"."+first.Dialect+".ndjson")
	if err := os.WriteFile(name, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	loose, err := replay.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(loose) != 1 || loose[0].Name() != first.Name() || len(loose[0].Exchanges) != len(first.Exchanges) {
		t.Errorf("want %s with %d exchanges, got %v", first.Name(), len(first.Exchanges), loose)
	}
}

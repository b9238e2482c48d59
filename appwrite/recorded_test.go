package appwrite_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/internal/livetest"
)

// exchange is one line of a recording, see testdata/recordings/README.md.
type exchange struct {
	Request struct {
		Method  string          `json:"method"`
		Path    string          `json:"path"`
		Body    json.RawMessage `json:"body"`
		RawBody *string         `json:"rawBody"`
		Headers map[string]any  `json:"headers"`
	} `json:"request"`
	Response struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"response"`
	Note string `json:"note"`

	version, name string
	line          int
}

// Placeholders whose place is a number's in the real answer.
var numberPlaceholder = regexp.MustCompile(`"<(?:seq:int:(\d+)|int)>"`)

// answer gives the response as the server would have sent it.
func (e exchange) answer() string {
	body := numberPlaceholder.ReplaceAllString(string(e.Response.Body), "1$1")
	return body
}

// segments gives the path without its query, split.
func (e exchange) segments() []string {
	at, _, _ := strings.Cut(e.Request.Path, "?")
	parts := strings.Split(strings.Trim(at, "/"), "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil {
			parts[i] = plain
		}
	}
	return parts
}

func (e exchange) dialect() appwrite.Dialect {
	if strings.Contains(e.name, ".tablesdb.") {
		return appwrite.DialectTablesDB
	}
	return appwrite.DialectDatabases
}

// recorded reads every exchange of a version, from its archive in testdata.
func recorded(t *testing.T, version string) []exchange {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "testdata", "recordings", version+".tar.zst"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no recordings of %s in testdata/recordings", version)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := zstd.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var all []exchange
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(archive)
		lines.Buffer(nil, 64<<20)
		for n := 1; lines.Scan(); n++ {
			e := exchange{version: version, name: filepath.Base(header.Name), line: n}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Fatalf("%s:%d: %v", header.Name, n, err)
			}
			all = append(all, e)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// answering is a transport that gives one recorded answer to everything but the
// question for the version, and keeps the last request.
type answering struct {
	exchange
	sent string
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := a.Response.Status, a.answer()
	if strings.HasSuffix(r.URL.Path, "/health/version") {
		status, body = http.StatusOK, `{"version":"`+a.version+`"}`
	} else if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.sent = r.Method + " " + strings.TrimPrefix(r.URL.EscapedPath(), "/v1") + " " + string(raw)
	}
	if status == http.StatusNoContent {
		body = ""
	}
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Request: r,
		Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (e exchange) client(t *testing.T) (*appwrite.Client, *answering) {
	t.Helper()
	a := &answering{exchange: e}
	return newClient(t, appwrite.Config{Endpoint: "http://recorded/v1", Project: "p", Key: marker},
		appwrite.WithTransport(a), appwrite.WithDialect(e.dialect())), a
}

// kind says what a successful answer holds: "document", "documents" and so on,
// "" when it is none of the API's objects.
func (e exchange) kind() string {
	at := e.segments()
	if at[0] != "databases" && at[0] != "tablesdb" {
		return ""
	}
	classic := strings.NewReplacer("tables", "collections", "columns", "attributes", "rows", "documents")
	names := []string{"databases"}
	for i := 2; i < len(at); i += 2 {
		names = append(names, classic.Replace(at[i]))
	}
	last := names[len(names)-1]
	switch {
	case len(at) > 1 && at[1] == "transactions":
		if len(at) == 2 && e.Request.Method == http.MethodGet {
			return ""
		}
		return "transaction"
	case strings.HasSuffix(at[len(at)-1], "crement"):
		return "document"
	case len(at) >= 5 && names[2] == "attributes":
		if len(at) == 5 && e.Request.Method == http.MethodGet {
			return "attributes"
		}
		return "attribute"
	case len(at)%2 == 0 || e.Request.Method == http.MethodPost && !bytes.Contains(e.Response.Body, []byte(`"total"`)):
		return strings.TrimSuffix(strings.Replace(last, "indexes", "indexs", 1), "s")
	default:
		return last
	}
}

// read reads a recorded success through the client method for its kind.
func (e exchange) read(t *testing.T, c *appwrite.Client) (model any, err error) {
	t.Helper()
	ctx := t.Context()
	switch e.kind() {
	case "database":
		return c.CreateDatabase(ctx, appwrite.Database{})
	case "databases":
		return c.ListDatabases(ctx)
	case "collection":
		return c.CreateCollection(ctx, "d", appwrite.Collection{})
	case "collections":
		return c.ListCollections(ctx, "d")
	case "attribute":
		return c.CreateAttribute(ctx, "d", "c", appwrite.Attribute{Type: appwrite.TypeBoolean})
	case "attributes":
		return c.ListAttributes(ctx, "d", "c")
	case "index":
		return c.CreateIndex(ctx, "d", "c", appwrite.Index{})
	case "document":
		return c.CreateDocument(ctx, "d", "c", appwrite.Document{})
	case "documents":
		page, err := c.ListDocuments(ctx, "d", "c")
		return page.Documents, err
	case "transaction":
		return c.CreateTransaction(ctx, 0)
	default:
		return nil, nil
	}
}

// objects says whether the recorder kept whole objects.
func (e exchange) objects() bool {
	body := bytes.TrimSpace(e.Response.Body)
	return len(body) > 0 && body[0] == '{' && !strings.Contains(e.Note, "reduced to")
}

func TestRecordedAnswersAreReadWithoutLoss(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			read := map[string]int{}
			for _, e := range recorded(t, version) {
				if e.Response.Status >= 300 || e.Response.Status == http.StatusNoContent || !e.objects() || e.Request.Headers != nil {
					continue
				}
				c, _ := e.client(t)
				model, err := e.read(t, c)
				if err != nil {
					t.Errorf("%s:%d %s %s: %v", e.name, e.line, e.Request.Method, e.Request.Path, err)
					continue
				}
				if model == nil {
					continue
				}
				read[e.kind()]++
				for _, problem := range lossOf(t, e, model) {
					t.Errorf("%s:%d %s %s: %s", e.name, e.line, e.Request.Method, e.Request.Path, problem)
				}
			}
			t.Logf("read %v", read)
			for _, kind := range []string{"database", "collection", "attribute", "attributes", "index", "document", "documents"} {
				if read[kind] == 0 {
					t.Errorf("no %s was read", kind)
				}
			}
		})
	}
}

func TestRecordedErrorsKeepStatusAndType(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			count := 0
			for _, e := range recorded(t, version) {
				if e.Response.Status < 400 || !e.objects() {
					continue
				}
				c, _ := e.client(t)
				err := c.DeleteDatabase(t.Context(), "x")
				got, ok := errors.AsType[*appwrite.Error](err)
				var want struct {
					Type string `json:"type"`
				}
				if err := json.Unmarshal(e.Response.Body, &want); err != nil {
					t.Fatal(err)
				}
				want.Type = classic(want.Type)
				if !ok || got.Status != e.Response.Status || got.Type != want.Type {
					t.Errorf("%s:%d: got %v, want %d %s", e.name, e.line, err, e.Response.Status, want.Type)
				}
				count++
			}
			if count < 200 {
				t.Errorf("only %d errors were read", count)
			}
		})
	}
}

// classic gives an error type in classic words, by a way of its own.
func classic(kind string) string {
	for _, rename := range [][2]string{{"column_index_", "index_"}, {"column_", "attribute_"}, {"table_", "collection_"}, {"row_", "document_"}} {
		if strings.HasPrefix(kind, rename[0]) {
			return rename[1] + kind[len(rename[0]):]
		}
	}
	return kind
}

package redact_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/redact"
)

func TestFieldsAreKeptOutOfJSONByItsStructure(t *testing.T) {
	t.Parallel()
	r := newRedactor(t, "email", "users.phone")
	for name, c := range map[string]struct {
		about    redact.About
		in, want string
	}{
		"a step's data":            {in: `{"kind":"create_document","collection":"users","data":{"email":"a@b.c","name":"Ada","phone":"1"}}`, want: `{"collection":"users","data":{"email":"[redacted]","name":"Ada","phone":"[redacted]"},"kind":"create_document"}`},
		"a field of one only":      {in: `{"collection":"shops","data":{"phone":"1"}}`, want: `{"collection":"shops","data":{"phone":"1"}}`},
		"collection not known":     {in: `{"data":{"phone":"1"}}`, want: `{"data":{"phone":"[redacted]"}}`},
		"collection from outside":  {about: redact.About{Collection: "shops"}, in: `{"data":{"phone":"1"}}`, want: `{"data":{"phone":"1"}}`},
		"no value is no secret":    {in: `{"email":null}`, want: `{"email":null}`},
		"lists and objects":        {in: `{"email":["a",{"b":"c"}]}`, want: `{"email":"[redacted]"}`},
		"an increment":             {in: `{"attribute":"email","by":5,"id":"u1"}`, want: `{"attribute":"email","by":"[redacted]","id":"u1"}`},
		"an increment's memento":   {about: redact.AboutStep(json.RawMessage(`{"collection":"users","attribute":"phone"}`)), in: `{"value":12}`, want: `{"value":"[redacted]"}`},
		"a query":                  {in: `{"where":[{"method":"equal","attribute":"email","values":["a@b.c"]}]}`, want: `{"where":[{"attribute":"email","method":"equal","values":"[redacted]"}]}`},
		"a query within a text":    {in: `{"queries":["{\"attribute\":\"email\",\"values\":[\"x\"]}"]}`, want: `{"queries":["{\"attribute\":\"email\",\"values\":\"[redacted]\"}"]}`},
		"an attribute's default":   {in: `{"key":"email","default":"a@b.c","size":5}`, want: `{"default":"[redacted]","key":"email","size":5}`},
		"numbers stay as they are": {in: `{"n":12345678901234567890.10}`, want: `{"n":12345678901234567890.10}`},
	} {
		if got := string(r.JSON(json.RawMessage(c.in), c.about)); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func TestValuesThatPassedByAreTakenOutOfText(t *testing.T) {
	t.Parallel()
	r := newRedactor(t, "email", "users.phone")
	r.Learn([]byte(`{"email":"ada@example.org","phone":["020 7946","77"],"name":"Ada"}`), redact.About{Collection: "users"})
	r.Learn([]byte(`{"email":"say \"hi\"\nto <Bob & Eve>","phone":41}`), redact.About{Collection: "users"})
	for in, want := range map[string]string{
		"another ada@example.org holds it": "another [redacted] holds it",
		"queries=ada%40example.org":        "queries=[redacted]",
		`say \"hi\"\nto <Bob & Eve>`:       "[redacted]",
		"to <Bob & Eve>":                   "[redacted]",
		"Ada":                              "Ada",
		"phone was 77 and is 78":           "phone was [redacted] and is [redacted]",
		"phone would become 90":            "phone would become [redacted]",
		"name would become 90":             "name would become 90",
		"phone was 41 at 2041":             "phone was [redacted] at 2041",
		"77 bottles":                       "77 bottles",
		"  email: nobody@example.com":      "  email: [redacted]",
		`data: { "phone": "555", n: 1 }`:   `data: { "phone": [redacted], n: 1 }`,
		"my_email: x":                      "my_email: x",
		"email: null":                      "email: null",
		`"email": {"type": 1}`:             `"email": {"type": 1}`,
	} {
		if got := r.Text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestResultsStayJSON(t *testing.T) {
	t.Parallel()
	r := newRedactor(t, "email")
	r.Learn([]byte(`{"email":"ada@example.org"}`), redact.About{})
	const in = `{"attributes":{"email":{"required":true}},"email":true,"error":"email: ada@example.org is taken","n":[1.50,"ada@example.org"]}`
	const want = `{"attributes":{"email":{"required":true}},"email":true,"error":"email: [redacted] is taken","n":[1.50,"[redacted]"]}`
	if got := string(r.Strings(json.RawMessage(in))); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	var out bytes.Buffer
	if w := r.Writer(&out); redact.Unwrapped(w) != &out || redact.Unwrapped(&out) != &out {
		t.Error("the writer below is another one")
	}
}

func TestRevealAndNoFieldsChangeNothing(t *testing.T) {
	t.Parallel()
	revealed := newRedactor(t, "email")
	revealed.Learn([]byte(`{"email":"ada@example.org"}`), redact.About{})
	revealed.Reveal()
	const text = `{"email":"ada@example.org"}`
	for _, r := range []*redact.Redactor{revealed, newRedactor(t)} {
		r.Learn([]byte(text), redact.About{})
		if got := r.Text(text); got != text {
			t.Errorf("text became %q", got)
		}
		if got := string(r.JSON(json.RawMessage(text), redact.About{})); got != text {
			t.Errorf("JSON became %q", got)
		}
	}
}

func TestRequestsAndAnswersAreLearnedFromAndPassUnchanged(t *testing.T) {
	t.Parallel()
	r := newRedactor(t, "email", "users.phone", "users.balance")
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		got = string(body)
		fmt.Fprint(w, `{"documents":[{"$id":"u1","phone":"+44 20 7946","balance":987654}]}`)
	}))
	t.Cleanup(server.Close)
	const sent = `{"data":{"email":"ada@example.org"}}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, server.URL+"/v1/databases/shop/collections/users/documents/u1", strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: r.Transport(http.DefaultTransport)}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || got != sent || !bytes.Contains(body, []byte("7946")) {
		t.Errorf("sent %q, answered %q, error %v", got, body, err)
	}
	_ = resp.Body.Close()
	if text := r.Text("ada@example.org +44 20 7946 987654"); text != "[redacted] [redacted] [redacted]" {
		t.Errorf("text became %q", text)
	}
}

func TestAWriterRedactsEachWriteAndTellsItsLength(t *testing.T) {
	t.Parallel()
	r := newRedactor(t, "email")
	r.Learn([]byte(`{"email":"ada@example.org"}`), redact.About{})
	var out bytes.Buffer
	n, err := r.Writer(&out).Write([]byte("is ada@example.org\n"))
	if n != 19 || err != nil || out.String() != "is [redacted]\n" {
		t.Errorf("%d bytes, error %v: %q", n, err, &out)
	}
}

func TestNamesThatAreNoFieldsAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", ".", "users.", ".email", "e mail", "*"} {
		if _, err := redact.New(name); !errors.Is(err, redact.ErrField) {
			t.Errorf("%q: error %v, want ErrField", name, err)
		}
	}
}

func newRedactor(t *testing.T, fields ...string) *redact.Redactor {
	t.Helper()
	r, err := redact.New(fields...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

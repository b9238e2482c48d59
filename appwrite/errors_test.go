package appwrite_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/appwrite/sdk-for-go/tablesdb"

	"github.com/backstep-dev/backstep/appwrite"
)

func TestErrorsAreRecognisedByTypeInBothDialects(t *testing.T) {
	t.Parallel()
	all := []error{
		appwrite.ErrNotFound, appwrite.ErrContainerNotFound, appwrite.ErrExists, appwrite.ErrConflict,
		appwrite.ErrUnauthorized, appwrite.ErrProjectNotFound, appwrite.ErrRouteNotFound, appwrite.ErrInvalid,
		appwrite.ErrUnsupported, appwrite.ErrTransactionNotReady,
	}
	for _, test := range []struct {
		status int
		kind   string // as the server says it
		want   string // as Error.Type gives it
		is     []error
	}{
		{404, "document_not_found", "document_not_found", []error{appwrite.ErrNotFound}},
		{404, "row_not_found", "document_not_found", []error{appwrite.ErrNotFound}},
		{404, "table_not_found", "collection_not_found", []error{appwrite.ErrNotFound, appwrite.ErrContainerNotFound}},
		{404, "database_not_found", "database_not_found", []error{appwrite.ErrNotFound, appwrite.ErrContainerNotFound}},
		{404, "column_not_found", "attribute_not_found", []error{appwrite.ErrNotFound}},
		{404, "column_index_not_found", "index_not_found", []error{appwrite.ErrNotFound}},
		{404, "project_not_found", "project_not_found", []error{appwrite.ErrProjectNotFound}},
		{404, "general_route_not_found", "general_route_not_found", []error{appwrite.ErrRouteNotFound}},
		{409, "row_already_exists", "document_already_exists", []error{appwrite.ErrExists}},
		{409, "row_unique_constraint_violation", "document_unique_constraint_violation", []error{appwrite.ErrExists}},
		{409, "row_update_conflict", "document_update_conflict", []error{appwrite.ErrConflict}},
		{409, "transaction_conflict", "transaction_conflict", []error{appwrite.ErrConflict}},
		{401, "general_unauthorized_scope", "general_unauthorized_scope", []error{appwrite.ErrUnauthorized}},
		{401, "user_unauthorized", "user_unauthorized", []error{appwrite.ErrUnauthorized}},
		{403, "project_id_missing", "project_id_missing", []error{appwrite.ErrUnauthorized}},
		{403, "row_delete_restricted", "document_delete_restricted", nil},
		{400, "column_index_invalid", "index_invalid", []error{appwrite.ErrInvalid}},
		{400, "general_feature_unsupported", "general_feature_unsupported", []error{appwrite.ErrInvalid, appwrite.ErrUnsupported}},
		{400, "transaction_not_ready", "transaction_not_ready", []error{appwrite.ErrInvalid, appwrite.ErrTransactionNotReady}},
		{500, "transaction_expired", "transaction_expired", []error{appwrite.ErrTransactionNotReady}},
	} {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			s := newStub(t, "1.9.6", always(test.status, fmt.Sprintf(`{"message":"m","code":%d,"type":%q,"version":"1.9.6"}`, test.status, test.kind)))
			err := s.client(t).DeleteDocument(t.Context(), "d", "c", "x", appwrite.Guard{})
			e, ok := errors.AsType[*appwrite.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if e.Status != test.status || e.Type != test.want || e.Method != http.MethodDelete || e.Path != "/tablesdb/d/tables/c/rows/x" || e.Message != "m" {
				t.Errorf("got %+v", e)
			}
			for _, sentinel := range all {
				if got, want := errors.Is(err, sentinel), slices.Contains(test.is, sentinel); got != want {
					t.Errorf("is %q: %v, want %v", sentinel, got, want)
				}
			}
		})
	}
}

func TestErrorsAreClassifiedByTypeThenStatus(t *testing.T) {
	t.Parallel()
	const read, write = http.MethodGet, http.MethodPost
	for _, test := range []struct {
		status int
		kind   string
		method string
		want   appwrite.Class
	}{
		{400, "general_argument_invalid", write, appwrite.Permanent},
		{400, "attribute_not_available", write, appwrite.Transient},
		{401, "user_unauthorized", read, appwrite.Permanent},
		{404, "document_not_found", read, appwrite.Permanent},
		{408, "database_timeout", write, appwrite.Transient},
		{408, "", write, appwrite.Transient},
		{409, "document_already_exists", write, appwrite.Permanent},
		{429, "general_rate_limit_exceeded", write, appwrite.Transient},
		{500, "general_unknown", read, appwrite.Transient},
		{500, "general_unknown", write, appwrite.Ambiguous},
		{500, "transaction_expired", write, appwrite.Permanent},
		{501, "", write, appwrite.Permanent},
		{502, "", read, appwrite.Transient},
		{503, "", write, appwrite.Ambiguous},
		{200, "", write, appwrite.Ambiguous}, // a success nobody could read
		{200, "", read, appwrite.Permanent},
		{307, "", write, appwrite.Permanent},
	} {
		err := fmt.Errorf("while testing: %w", &appwrite.Error{Status: test.status, Type: test.kind, Method: test.method})
		if got := appwrite.Classify(err); got != test.want {
			t.Errorf("%s %d %s is %v, want %v", test.method, test.status, test.kind, got, test.want)
		}
	}
	for _, err := range []error{nil, errors.New("anything"), appwrite.ErrReadOnly} {
		if got := appwrite.Classify(err); got != appwrite.Permanent {
			t.Errorf("%v is %v, want permanent", err, got)
		}
	}
}

func TestErrorsOfTheSDKAreClassifiedToo(t *testing.T) {
	t.Parallel()
	s := newStubInMemory(t, "1.9.6", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			reply(w, http.StatusInternalServerError, `{"message":"m","code":500,"type":"general_unknown"}`)
			return
		}
		reply(w, http.StatusConflict, `{"message":"m","code":409,"type":"database_already_exists"}`)
	})
	sdk := tablesdb.New(s.client(t).SDK(t.Context()))
	_, err := sdk.Create("x", "X")
	if got := appwrite.Classify(err); got != appwrite.Ambiguous {
		t.Errorf("a failed write is %v", got)
	}
	_, err = sdk.Delete("x")
	if got := appwrite.Classify(err); got != appwrite.Permanent {
		t.Errorf("a refused write is %v", got)
	}
	s.Close()
	_, err = sdk.Delete("x")
	if got := appwrite.Classify(err); got != appwrite.Ambiguous {
		t.Errorf("a broken write is %v", got)
	}
}

func TestRetryAfterIsReadAsSecondsAndAsDate(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"Sun, 22 Nov 2026 10:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 09:00:00 GMT": 0,
	} {
		s := newStub(t, "1.9.6", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", "Sun, 22 Nov 2026 10:00:00 GMT")
			w.Header().Set("Retry-After", header)
			reply(w, http.StatusServiceUnavailable, `{"message":"m","code":503,"type":"x"}`)
		})
		_, err := s.client(t).ListDatabases(t.Context())
		if e, ok := errors.AsType[*appwrite.Error](err); !ok || e.RetryAfter() != want {
			t.Errorf("%q is read as %v", header, err)
		}
	}
}

func TestUnknownAttributeIsNamed(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("x: %w", &appwrite.Error{Type: "document_invalid_structure", Message: `Invalid document structure: Unknown attribute: "size"`})
	if key, ok := appwrite.UnknownAttribute(err); !ok || key != "size" {
		t.Errorf("got %q, %v", key, ok)
	}
	for _, err := range []error{nil, errors.New(`Unknown attribute: "size"`), &appwrite.Error{Type: "document_invalid_structure", Message: "Missing required attribute"}} {
		if key, ok := appwrite.UnknownAttribute(err); ok {
			t.Errorf("%v names %q", err, key)
		}
	}
}

func TestAnswersThatMakeNoSenseAreErrors(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a web page":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>welcome</html>")) },
		"cut JSON":      always(http.StatusOK, `{"databases":[{"$id":`),
		"JSON and more": always(http.StatusOK, `{"databases":[]} x`),
		"another shape": always(http.StatusOK, `{"databases":{"a":1}}`),
		"a redirection": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://login.example/", http.StatusFound)
		},
		"an error page":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a JSON scalar":  always(http.StatusOK, `5`),
		"an error, bare": always(http.StatusTeapot, `null`),
	} {
		s := newStub(t, "1.9.6", answer)
		list, err := s.client(t).ListDatabases(t.Context())
		if _, ok := errors.AsType[*appwrite.Error](err); !ok {
			t.Errorf("%s: got %v, %v", name, list, err)
		}
	}
}

package listing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

type thing struct {
	id   string
	size int
	on   bool
	tags []string
	made time.Time
}

func things(t *testing.T) ([]thing, listing.Spec[thing]) {
	t.Helper()
	p, err := profile.For(profile.Latest, profile.MariaDB)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	return []thing{
			{"a", 3, true, []string{"x"}, day(1)},
			{"b", 1, false, []string{"x", "y"}, day(2)},
			{"c", 2, true, nil, day(3)},
			{"d", 2, false, []string{"z"}, day(4)},
		}, listing.Spec[thing]{
			Profile: p, Dates: phpdate.New(time.Now),
			ID: func(t thing) string { return t.id },
			Fields: map[string]listing.Field[thing]{
				"$id":        listing.Text(func(t thing) string { return t.id }),
				"size":       listing.Int(func(t thing) int { return t.size }),
				"on":         listing.Bool(func(t thing) bool { return t.on }),
				"tags":       listing.List(func(t thing) []string { return t.tags }),
				"$createdAt": listing.Time(func(t thing) time.Time { return t.made }),
			},
		}
}

func TestPagesFollowTheQueries(t *testing.T) {
	t.Parallel()
	all, spec := things(t)
	for _, c := range []struct {
		queries []string
		want    string
		total   int
	}{
		{nil, "abcd", 4},
		{[]string{`{"method":"equal","attribute":"$id","values":["B","C"]}`}, "bc", 2},
		{[]string{`{"method":"equal","attribute":"on","values":[true]}`}, "ac", 2},
		{[]string{`{"method":"greaterThan","attribute":"size","values":[1]}`}, "acd", 3},
		{[]string{`{"method":"contains","attribute":"tags","values":["y","z"]}`}, "bd", 2},
		{[]string{`{"method":"lessThan","attribute":"$createdAt","values":["2026-01-03"]}`}, "ab", 2},
		{[]string{`{"method":"orderDesc","attribute":"size"}`}, "acdb", 4},
		{[]string{`{"method":"orderAsc","attribute":"size"}`, `{"method":"orderDesc","attribute":"$id"}`}, "bdca", 4},
		{[]string{`{"method":"limit","values":[2]}`, `{"method":"offset","values":[1]}`}, "bc", 4},
		{[]string{`{"method":"offset","values":[9]}`}, "", 4},
		{[]string{`{"method":"cursorAfter","values":["B"]}`}, "cd", 4},
		{[]string{`{"method":"cursorBefore","values":["d"]}`, `{"method":"limit","values":[2]}`}, "bc", 4},
	} {
		page, total, err := spec.Page(all, c.queries)
		if err != nil {
			t.Errorf("%v: %v", c.queries, err)
			continue
		}
		var got strings.Builder
		for _, item := range page {
			got.WriteString(item.id)
		}
		if got.String() != c.want || total != c.total {
			t.Errorf("%v: got %s of %d, want %s of %d", c.queries, got.String(), total, c.want, c.total)
		}
	}
}

func TestBadQueriesAreArgumentErrors(t *testing.T) {
	t.Parallel()
	all, spec := things(t)
	for query, want := range map[string]string{
		`junk`: "general_argument_invalid",
		`{"method":"equal","attribute":"nope","values":["x"]}`: "general_argument_invalid",
		`{"method":"equal","attribute":"on","values":["x"]}`:   "general_argument_invalid",
		`{"method":"select","values":["$id"]}`:                 "general_argument_invalid",
		`{"method":"limit","values":[0]}`:                      "general_argument_invalid",
		`{"method":"cursorAfter","values":["zz"]}`:             "general_cursor_not_found",
	} {
		_, _, err := spec.Page(all, []string{query})
		if !errors.Is(err, &apierr.Error{Type: want}) {
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

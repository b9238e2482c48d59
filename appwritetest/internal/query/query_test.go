package query_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
)

func rules(tb testing.TB, version string) query.Rules {
	tb.Helper()
	p, err := profile.For(version, profile.MariaDB)
	if err != nil {
		tb.Fatal(err)
	}
	fields := map[string]query.Field{
		"$id": {Type: "string"}, "$sequence": {Type: "id"}, "$createdAt": {Type: "datetime"},
		"s": {Type: "string"}, "ft": {Type: "string", Fulltext: true}, "secret": {Type: "string", Encrypted: true},
		"n": {Type: "integer", Size: 4}, "big": {Type: "bigint", Size: 8}, "f": {Type: "double"}, "b": {Type: "boolean"},
		"dt": {Type: "datetime"}, "ar": {Type: "string", Array: true}, "p": {Type: "point"}, "g": {Type: "polygon"},
		"many": {Type: "relationship", Remote: true}, "one": {Type: "relationship"},
	}
	return query.Rules{
		Profile: p,
		Dates:   phpdate.New(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }),
		Field: func(name string) (query.Field, bool) {
			field, ok := fields[name]
			return field, ok
		},
	}
}

// record is a row of stored values.
type record map[string]any

func (r record) Value(name string) any { return r[name] }

func TestFiltersMatchAsMariaDBDoes(t *testing.T) {
	t.Parallel()
	row := record{
		"$id": "d1", "$sequence": int64(7), "s": "Apple Pie", "ft": "an apple pie", "n": int64(5), "f": 123456789.12346, "b": true,
		"dt": "2020-01-02T00:00:00.000+00:00", "ar": []any{"a", "b"}, "p": []any{1.0, 2.0}, "one": "x1",
		"g": []any{[]any{[]any{0.0, 0.0}, []any{0.0, 4.0}, []any{4.0, 4.0}, []any{4.0, 0.0}, []any{0.0, 0.0}}},
	}
	for text, want := range map[string]bool{
		`{"method":"equal","attribute":"s","values":["APPLE PIE "]}`:                                                                     true,
		`{"method":"equal","attribute":"n","values":[4,5]}`:                                                                              true,
		`{"method":"notEqual","attribute":"n","values":[5]}`:                                                                             false,
		`{"method":"notEqual","attribute":"big","values":[5]}`:                                                                           false, // null
		`{"method":"isNull","attribute":"big"}`:                                                                                          true,
		`{"method":"isNotNull","attribute":"n"}`:                                                                                         true,
		`{"method":"between","attribute":"n","values":[5,9]}`:                                                                            true,
		`{"method":"notBetween","attribute":"n","values":[5,9]}`:                                                                         false,
		`{"method":"equal","attribute":"f","values":[123456789.12345679]}`:                                                               true, // fourteen digits
		`{"method":"greaterThan","attribute":"f","values":[1]}`:                                                                          true,
		`{"method":"lessThanEqual","attribute":"dt","values":["2020-01-02"]}`:                                                            true,
		`{"method":"startsWith","attribute":"s","values":["apple p"]}`:                                                                   true,
		`{"method":"endsWith","attribute":"s","values":["pie "]}`:                                                                        false, // LIKE keeps blanks
		`{"method":"contains","attribute":"s","values":["x","LE P"]}`:                                                                    true,
		`{"method":"notContains","attribute":"s","values":["x"]}`:                                                                        true,
		`{"method":"contains","attribute":"ar","values":["z","b"]}`:                                                                      true,
		`{"method":"containsAll","attribute":"ar","values":["a","z"]}`:                                                                   false,
		`{"method":"search","attribute":"ft","values":["app"]}`:                                                                          true,
		`{"method":"search","attribute":"ft","values":["an"]}`:                                                                           false, // too short
		`{"method":"search","attribute":"ft","values":["\"pie apple\""]}`:                                                                false,
		`{"method":"notSearch","attribute":"ft","values":["plum"]}`:                                                                      true,
		`{"method":"equal","attribute":"$sequence","values":["7"]}`:                                                                      true,
		`{"method":"greaterThan","attribute":"$sequence","values":[7]}`:                                                                  false,
		`{"method":"equal","attribute":"one","values":["X1"]}`:                                                                           true,
		`{"method":"distanceLessThan","attribute":"p","values":[[[1,2],1,true]]}`:                                                        true,
		`{"method":"distanceGreaterThan","attribute":"p","values":[[[1,3],2,false]]}`:                                                    false,
		`{"method":"contains","attribute":"g","values":[[1,1]]}`:                                                                         true,
		`{"method":"intersects","attribute":"g","values":[[[3,3],[9,9]]]}`:                                                               true,
		`{"method":"crosses","attribute":"g","values":[[[1,1],[9,9]]]}`:                                                                  true,
		`{"method":"touches","attribute":"g","values":[[[4,0],[9,0]]]}`:                                                                  true,
		`{"method":"notIntersects","attribute":"g","values":[[7,7]]}`:                                                                    true,
		`{"method":"overlaps","attribute":"g","values":[[[[2,2],[2,6],[6,6],[2,2]]]]}`:                                                   true,
		`{"method":"or","values":[{"method":"equal","attribute":"n","values":[9]},{"method":"equal","attribute":"b","values":[true]}]}`:  true,
		`{"method":"and","values":[{"method":"equal","attribute":"n","values":[9]},{"method":"equal","attribute":"b","values":[true]}]}`: false,
	} {
		set, err := rules(t, "1.9.6").Compile([]string{text})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := query.Match(set.Filters, row, collation.General); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

func TestCompileRefusesWhatServersRefuse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`junk`, `[]`, `5`, `{}`, `{"method":"nonsense"}`, `{"method":5}`,
		`{"method":"equal","attribute":"n"}`, `{"method":"equal","attribute":"n","values":[]}`,
		`{"method":"equal","attribute":"n","values":1}`, `{"method":"equal","attribute":"n","values":["1"]}`,
		`{"method":"equal","attribute":"n","values":[1.0]}`, `{"method":"equal","attribute":"n","values":[null]}`,
		`{"method":"equal","attribute":"n","values":[4294967296]}`, `{"method":"equal","attribute":"s","values":[1]}`,
		`{"method":"equal","attribute":"zz","values":[1]}`, `{"method":"equal","attribute":"secret","values":["x"]}`,
		`{"method":"equal","attribute":"many","values":["x"]}`, `{"method":"equal","attribute":"ar","values":["a"]}`,
		`{"method":"equal","attribute":"$sequence","values":["x"]}`, `{"method":"equal","attribute":"dt","values":["junk"]}`,
		`{"method":"notEqual","attribute":"n","values":[1,2]}`, `{"method":"between","attribute":"n","values":[1]}`,
		`{"method":"contains","attribute":"n","values":[1]}`, `{"method":"containsAll","attribute":"s","values":["a"]}`,
		`{"method":"search","attribute":"s","values":["x"]}`, `{"method":"regex","attribute":"s","values":["x"]}`,
		`{"method":"or","values":[{"method":"equal","attribute":"n","values":[1]}]}`,
		`{"method":"or","values":[{"method":"limit","values":[1]},{"method":"limit","values":[1]}]}`,
		`{"method":"crosses","attribute":"n","values":[[1,1]]}`, `{"method":"crosses","attribute":"p","values":["x"]}`,
		`{"method":"limit","values":[0]}`, `{"method":"limit","values":["x"]}`, `{"method":"offset","values":[-1]}`,
		`{"method":"cursorAfter","values":[5]}`, `{"method":"orderAsc","attribute":"zz"}`,
		`{"method":"select","values":[]}`, `{"method":"select","values":["s","s"]}`, `{"method":"select","values":["zz"]}`,
		`{"method":"equal","attribute":"n","values":[` + strings.Repeat("1,", 500) + `1]}`,
	} {
		if _, err := rules(t, "1.9.6").Compile([]string{text}); !errors.Is(err, query.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMethodsComeWithTheirVersions(t *testing.T) {
	t.Parallel()
	for text, versions := range map[string][]string{
		`{"method":"notContains","attribute":"s","values":["x"]}`:   {"1.8.1", "1.9.6"},
		`{"method":"containsAny","attribute":"s","values":["x"]}`:   {"1.9.6"},
		`{"method":"equal","attribute":"$sequence","values":[5]}`:   {"1.9.6"},
		`{"method":"equal","attribute":"$sequence","values":["5"]}`: {"1.7.4", "1.8.1", "1.9.6"},
		`{"method":"notEqual","attribute":"s","values":["x"]}`:      {"1.7.4", "1.8.1", "1.9.6"},
		`{"method":"crosses","attribute":"p","values":[[1,1]]}`:     {"1.8.1", "1.9.6"},
	} {
		for _, version := range []string{"1.7.4", "1.8.1", "1.9.6"} {
			_, err := rules(t, version).Compile([]string{text})
			if want := slices.Contains(versions, version); (err == nil) != want {
				t.Errorf("%s on %s: %v", text, version, err)
			}
		}
	}
	_, err := rules(t, "1.9.6").Compile([]string{`{"method":"exists","attribute":"n","values":["n"]}`})
	if !errors.Is(err, query.ErrUnsupported) {
		t.Errorf("exists: %v", err)
	}
}

func TestTheFirstLimitCountsAndOrdersEndInTheSequence(t *testing.T) {
	t.Parallel()
	set, err := rules(t, "1.9.6").Compile([]string{
		`{"method":"limit","values":["3"]}`, `{"method":"limit","values":[9]}`, `{"method":"offset","values":[2]}`,
		`{"method":"orderDesc","attribute":"n"}`, `{"method":"cursorBefore","values":["d1"]}`,
		`{"method":"select","values":["s","one.*"]}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := query.Set{
		Orders: []query.Order{{Attribute: "n", Descending: true}}, Limit: 3, Offset: 2,
		Cursor: "d1", Backward: true, Select: []string{"s", "one.*"}, Queries: 6,
	}
	if diff := cmp.Diff(want, set); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(want.Orders, query.Order{Attribute: "$sequence"}), set.Ordered()); diff != "" {
		t.Error(diff)
	}
	set, err = rules(t, "1.9.6").Compile([]string{`{"method":"orderDesc"}`})
	if diff := cmp.Diff([]query.Order{{Attribute: "$sequence", Descending: true}}, set.Ordered()); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// FuzzCompile looks for queries that panic, when read or when matched.
func FuzzCompile(f *testing.F) {
	f.Add(`{"method":"equal","attribute":"n","values":[1]}`)
	f.Add(`{"method":"contains","attribute":"g","values":[[1,1]]}`)
	f.Add(`{"method":"or","values":[{"method":"isNull","attribute":"s"},{"method":"distanceEqual","attribute":"p","values":[[[1,1],1,false]]}]}`)
	checked := rules(f, "1.9.6")
	row := record{"s": "x", "n": int64(1), "ar": []any{"a"}, "p": []any{1.0, 2.0}, "g": []any{[]any{[]any{0.0, 0.0}}}}
	f.Fuzz(func(_ *testing.T, text string) {
		if set, err := checked.Compile([]string{text}); err == nil {
			query.Match(set.Filters, row, collation.General)
		}
	})
}

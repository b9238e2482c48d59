package operator_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/operator"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

func now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC) }

func apply(t *testing.T, text string, d catalog.Definition, old any) (any, error) {
	t.Helper()
	sent, err := phpjson.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o, ok, _ := operator.Parse(sent)
	if !ok {
		t.Fatalf("%s is no operator", text)
	}
	return o.Apply(value.Rules{Dates: phpdate.New(now)}, &d, old, now())
}

func TestOperatorsComputeAsTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	integer := catalog.Definition{Type: catalog.TypeInteger, Size: 8, Max: int64(10)}
	double := catalog.Definition{Type: catalog.TypeDouble}
	text := catalog.Definition{Type: catalog.TypeString, Size: 10}
	list := catalog.Definition{Type: catalog.TypeString, Size: 10, Array: true}
	boolean := catalog.Definition{Type: catalog.TypeBoolean}
	date := catalog.Definition{Type: catalog.TypeDatetime}
	for _, c := range []struct {
		operator  string
		d         catalog.Definition
		old, want any
	}{
		{`{"method":"increment","values":[5]}`, integer, int64(10), int64(15)}, // beyond the attribute's maximum
		{`{"method":"increment","values":[5]}`, integer, nil, int64(5)},
		{`{"method":"increment","values":[5,20]}`, integer, int64(5001), int64(20)},
		{`{"method":"increment","values":[1.5]}`, integer, int64(7), int64(8)}, // halves to even
		{`{"method":"increment","values":[1]}`, integer, int64(math.MaxInt64 - 1), int64(math.MaxInt64)},
		{`{"method":"decrement","values":[3,9]}`, integer, int64(10), int64(9)},
		{`{"method":"multiply","values":[3]}`, integer, int64(14), int64(42)},
		{`{"method":"divide","values":[2]}`, double, 5.0, 2.5},
		{`{"method":"modulo","values":[5]}`, integer, int64(21), int64(1)},
		{`{"method":"power","values":[3]}`, double, 2.0, 8.0},
		{`{"method":"stringConcat","values":["-x"]}`, text, "ab", "ab-x"},
		{`{"method":"stringConcat","values":["x"]}`, text, nil, "x"},
		{`{"method":"stringReplace","values":["a","q"]}`, text, "aba", "qbq"},
		{`{"method":"toggle"}`, boolean, nil, true},
		{`{"method":"toggle","values":[]}`, boolean, true, false},
		{`{"method":"arrayAppend","values":["z"]}`, list, []any{"a"}, []any{"a", "z"}},
		{`{"method":"arrayPrepend","values":["y"]}`, list, nil, []any{"y"}},
		{`{"method":"arrayInsert","values":[1,"i"]}`, list, []any{"a", "b"}, []any{"a", "i", "b"}},
		{`{"method":"arrayRemove","values":["a"]}`, list, []any{"a", "b", "a"}, []any{"b"}},
		{`{"method":"arrayUnique","values":[]}`, list, []any{"z", "b", "z"}, []any{"b", "z"}},
		{`{"method":"arrayIntersect","values":["b","z"]}`, list, []any{"z", "a", "b"}, []any{"z", "b"}},
		{`{"method":"arrayDiff","values":["b"]}`, list, []any{"b", "z"}, []any{"z"}},
		{`{"method":"arrayFilter","values":["equal","z"]}`, list, []any{"b", "z"}, []any{"z"}},
		{`{"method":"dateAddDays","values":[1]}`, date, "2020-02-28T03:04:05.678+00:00", "2020-02-29T03:04:05.678+00:00"},
		{`{"method":"dateSubDays","values":[2]}`, date, nil, nil},
		{`{"method":"dateSetNow","values":[]}`, date, nil, "2026-01-02T03:04:05.678+00:00"},
	} {
		got, err := apply(t, c.operator, c.d, c.old)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s on %v: %v %s", c.operator, c.old, err, diff)
		}
	}
}

func TestOperatorsThatDoNotSuitAreRefused(t *testing.T) {
	t.Parallel()
	for text, d := range map[string]catalog.Definition{
		`{"method":"increment","values":[1]}`:         {Type: catalog.TypeString, Size: 5},
		`{"method":"increment","values":[]}`:          {Type: catalog.TypeInteger},
		`{"method":"increment","values":["x"]}`:       {Type: catalog.TypeInteger},
		`{"method":"divide","values":[0]}`:            {Type: catalog.TypeDouble},
		`{"method":"power","values":[1e9]}`:           {Type: catalog.TypeInteger},
		`{"method":"stringConcat","values":["long"]}`: {Type: catalog.TypeString, Size: 3},
		`{"method":"arrayAppend","values":["a"]}`:     {Type: catalog.TypeString, Size: 3},
		`{"method":"arrayAppend","values":[1]}`:       {Type: catalog.TypeString, Size: 3, Array: true},
		`{"method":"arrayInsert","values":[7,"a"]}`:   {Type: catalog.TypeString, Size: 3, Array: true},
		`{"method":"arrayFilter","values":["like"]}`:  {Type: catalog.TypeString, Size: 3, Array: true},
		`{"method":"dateAddDays","values":["x"]}`:     {Type: catalog.TypeDatetime},
	} {
		old := map[string]any{catalog.TypeInteger: int64(9), catalog.TypeDouble: 9.0}[d.Type]
		if got, err := apply(t, text, d, old); !errors.Is(err, operator.ErrInvalid) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

func TestParseTakesTextAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	if _, ok, _ := operator.Parse(`{"method":"toggle"}`); !ok {
		t.Error("text that holds an operator is none")
	}
	for _, sent := range []any{"toggle", `{"method":"x","values":[]}`, `{"method":"toggle","values":5}`, `{`, nil, int64(5), []any{"toggle"}} {
		if _, ok, _ := operator.Parse(sent); ok {
			t.Errorf("%v is an operator", sent)
		}
	}
}

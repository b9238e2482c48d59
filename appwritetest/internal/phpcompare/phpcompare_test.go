package phpcompare_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpcompare"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// The pairs are from PHP's own table of loose comparisons.
func TestLooseFollowsPHP8(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nil, nil, true},
		{nil, int64(0), true},
		{nil, 0.0, true},
		{nil, false, true},
		{nil, "", true},
		{nil, []any{}, true},
		{nil, "0", false},
		{nil, []any{nil}, false},
		{int64(0), false, true},
		{int64(0), "", false}, // since PHP 8
		{int64(0), "0", true},
		{int64(0), "a", false},
		{int64(1), "1", true},
		{int64(1), "1.0", true},
		{int64(1), true, true},
		{int64(2), true, true},
		{1.5, "1.5", true},
		{"1", "01", true},
		{"10", "1e1", true},
		{"abc", "ABC", false},
		{"", false, true},
		{"0", false, true},
		{"false", false, false},
		{[]any{}, false, true},
		{[]any{}, int64(0), false},
		{[]any{}, "", false},
		{[]any{"1"}, []any{int64(1)}, true},
		{[]any{"1"}, []any{"1", "2"}, false},
		{"inf", "INF", false},
		{&phpjson.Object{}, nil, false},
	} {
		if got := phpcompare.Loose(c.a, c.b); got != c.want {
			t.Errorf("%#v == %#v: %v", c.a, c.b, got)
		}
		if got := phpcompare.Loose(c.b, c.a); got != c.want {
			t.Errorf("%#v == %#v: %v", c.b, c.a, got)
		}
	}
}

func TestStrictTellsTypesApart(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]any{{int64(1), 1.0}, {nil, false}, {"1", int64(1)}, {[]any{"a"}, []any{"b"}}, {[]any{}, nil}} {
		if phpcompare.Strict(pair[0], pair[1]) {
			t.Errorf("%#v === %#v", pair[0], pair[1])
		}
	}
	if !phpcompare.Strict([]any{"a", nil, []any{1.5}}, []any{"a", nil, []any{1.5}}) {
		t.Error("equal lists differ")
	}
}

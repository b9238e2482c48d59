package value_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

func rules() value.Rules {
	return value.Rules{Dates: phpdate.New(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) })}
}

func TestStoreCoercesWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		definition catalog.Definition
		sent, want any
	}{
		"null":                   {catalog.Definition{Type: catalog.TypeInteger}, nil, nil},
		"float of an integer":    {catalog.Definition{Type: catalog.TypeDouble}, int64(5), 5.0},
		"bigint as text":         {catalog.Definition{Type: catalog.TypeBigInt}, "-9223372036854775808", int64(math.MinInt64)},
		"date":                   {catalog.Definition{Type: catalog.TypeDatetime}, "2020-01-02", "2020-01-02T00:00:00.000+00:00"},
		"null elements":          {catalog.Definition{Type: catalog.TypeInteger, Size: 8, Array: true}, []any{int64(1), nil}, []any{int64(1), int64(0)}},
		"null elements of text":  {catalog.Definition{Type: catalog.TypeString, Size: 5, Array: true}, []any{"a", nil}, []any{"a", nil}},
		"characters, not bytes":  {catalog.Definition{Type: catalog.TypeString, Size: 2}, "\U0001F600\u00e9", "\U0001F600\u00e9"},
		"point":                  {catalog.Definition{Type: catalog.TypePoint}, []any{int64(1), 2.5}, []any{1.0, 2.5}},
		"ftp address":            {catalog.Definition{Type: catalog.TypeString, Size: 99, Format: catalog.FormatURL}, "ftp://example.com", "ftp://example.com"},
		"IPv6":                   {catalog.Definition{Type: catalog.TypeString, Size: 39, Format: catalog.FormatIP}, "::1", "::1"},
		"smallest 4-byte number": {catalog.Definition{Type: catalog.TypeInteger, Size: 4}, int64(-math.MaxInt32), int64(-math.MaxInt32)},
	} {
		got, err := rules().Store(&c.definition, c.sent)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestStoreRefusesWhatTheServerRefuses(t *testing.T) {
	t.Parallel()
	text := func(format string) catalog.Definition {
		return catalog.Definition{Type: catalog.TypeString, Size: 99, Format: format, Elements: []string{"x"}}
	}
	for name, c := range map[string]struct {
		definition catalog.Definition
		sent       any
	}{
		"float for an integer":    {catalog.Definition{Type: catalog.TypeInteger, Size: 8}, 5.0},
		"text for an integer":     {catalog.Definition{Type: catalog.TypeInteger, Size: 8}, "5"},
		"-2^63 for an integer":    {catalog.Definition{Type: catalog.TypeInteger, Size: 8}, int64(math.MinInt64)},
		"-2^31 for 4 bytes":       {catalog.Definition{Type: catalog.TypeInteger, Size: 4}, int64(math.MinInt32)},
		"below min":               {catalog.Definition{Type: catalog.TypeInteger, Size: 8, Min: int64(3)}, int64(2)},
		"infinity":                {catalog.Definition{Type: catalog.TypeDouble}, math.Inf(1)},
		"one for a boolean":       {catalog.Definition{Type: catalog.TypeBoolean}, int64(1)},
		"too long":                {catalog.Definition{Type: catalog.TypeString, Size: 2}, "abc"},
		"null in a required list": {catalog.Definition{Type: catalog.TypeString, Size: 2, Array: true, Required: true}, []any{nil}},
		"scalar for a list":       {catalog.Definition{Type: catalog.TypeString, Size: 2, Array: true}, "a"},
		"last millisecond":        {catalog.Definition{Type: catalog.TypeDatetime}, "9999-12-31T23:59:59.999Z"},
		"year 999":                {catalog.Definition{Type: catalog.TypeDatetime}, "0999-12-31"},
		"email without a dot":     {text(catalog.FormatEmail), "a@b"},
		"email with an umlaut":    {text(catalog.FormatEmail), "\u00fc@example.com"},
		"url without a host":      {text(catalog.FormatURL), "http://"},
		"url without a scheme":    {text(catalog.FormatURL), "example.com"},
		"ip out of range":         {text(catalog.FormatIP), "10.0.0.999"},
		"enum in capitals":        {text(catalog.FormatEnum), "X"},
		"open ring":               {catalog.Definition{Type: catalog.TypePolygon}, []any{[]any{[]any{0.0, 0.0}, []any{0.0, 1.0}, []any{1.0, 1.0}, []any{2.0, 2.0}}}},
		"latitude of 91":          {catalog.Definition{Type: catalog.TypePoint}, []any{0.0, 91.0}},
	} {
		if got, err := rules().Store(&c.definition, c.sent); !errors.Is(err, value.ErrInvalid) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

package phpdate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
)

// clock is a Thursday.
func clock() time.Time { return time.Date(2026, 1, 15, 10, 11, 12, 131415000, time.UTC) }

func TestParseReadsWhatPHPReads(t *testing.T) {
	t.Parallel()
	parser := phpdate.New(clock)
	for text, want := range map[string]string{
		// Seen on real servers.
		"2020-01-02T03:04:05.678+00:00": "2020-01-02T03:04:05.678+00:00",
		"2020-01-02T03:04:05Z":          "2020-01-02T03:04:05.000+00:00",
		"2020-01-02T03:04:05":           "2020-01-02T03:04:05.000+00:00",
		"2020-01-02 03:04:05":           "2020-01-02T03:04:05.000+00:00",
		"2020-01-02":                    "2020-01-02T00:00:00.000+00:00",
		"2020-01-02T03:04:05.123456Z":   "2020-01-02T03:04:05.123+00:00",
		"2020-01-02T03:04:05.9999Z":     "2020-01-02T03:04:05.999+00:00",
		"2020-01-02T03:04:05+02:00":     "2020-01-02T01:04:05.000+00:00",
		"2020-01-02T03:04:05.678-05:30": "2020-01-02T08:34:05.678+00:00",
		"2020-02-30":                    "2020-03-01T00:00:00.000+00:00",
		"01/02/2020":                    "2020-01-02T00:00:00.000+00:00",
		"@1577934245":                   "2020-01-02T03:04:05.000+00:00",
		"Thu, 02 Jan 2020 03:04:05 GMT": "2020-01-02T03:04:05.000+00:00",
		"2020":                          "2026-01-15T20:20:00.000+00:00",
		"0999-12-31":                    "0999-12-31T00:00:00.000+00:00",
		"10000-01-01":                   "2000-01-01T10:00:00.000+00:00",
		"":                              "2026-01-15T10:11:12.131+00:00",
		"now":                           "2026-01-15T10:11:12.131+00:00",
		"2020-W01-4":                    "2020-01-02T00:00:00.000+00:00",
		"20200102T030405Z":              "2020-01-02T03:04:05.000+00:00",
		// From PHP's documentation of the grammar.
		"tomorrow":                       "2026-01-16T00:00:00.000+00:00",
		"yesterday noon":                 "2026-01-14T12:00:00.000+00:00",
		"+1 week 2 days":                 "2026-01-24T10:11:12.131+00:00",
		"3 hours ago":                    "2026-01-15T07:11:12.131+00:00",
		"last monday":                    "2026-01-12T00:00:00.000+00:00",
		"thursday":                       "2026-01-15T00:00:00.000+00:00",
		"next thursday":                  "2026-01-22T00:00:00.000+00:00",
		"first day of next month":        "2026-02-01T10:11:12.131+00:00",
		"last day of february 2024":      "2024-02-29T00:00:00.000+00:00",
		"5 March 2021 4:05pm":            "2021-03-05T16:05:00.000+00:00",
		"Mar 5, 2021":                    "2021-03-05T00:00:00.000+00:00",
		"2021-03-05 12:00 EST":           "2021-03-05T17:00:00.000+00:00",
		"2021-07-05 12:00 Europe/Berlin": "2021-07-05T10:00:00.000+00:00",
		"+2 weekdays":                    "2026-01-19T10:11:12.131+00:00",
		"5.3.2021":                       "2021-03-05T00:00:00.000+00:00",
		"2021.100":                       "2021-04-10T00:00:00.000+00:00",
	} {
		got, err := parser.Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if formatted := phpdate.Format(got); formatted != want {
			t.Errorf("Parse(%q) = %s, want %s", text, formatted, want)
		}
	}
}

func TestParseRefusesWhatPHPRefuses(t *testing.T) {
	t.Parallel()
	parser := phpdate.New(clock)
	for _, text := range []string{"junk", "1577934245", "2020-13-01", "12:00 13:00", "2020-01-01 2020-01-02", "25:00", "\x00"} {
		if got, err := parser.Parse(text); !errors.Is(err, phpdate.ErrSyntax) {
			t.Errorf("Parse(%q) = %v, %v; want ErrSyntax", text, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	parser := phpdate.New(clock)
	f.Add("last day of february 2024")
	f.Add("2020-W01-4 +1 week")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = parser.Parse(text) })
}

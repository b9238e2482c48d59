package phpdate

import (
	"regexp"
	"strings"
	"time"
)

// rule is one token form of PHP's date grammar. apply reports whether the
// token makes sense where it stands.
type rule struct {
	pattern *regexp.Regexp
	apply   func(s *scan, m []string) bool
}

const (
	months   = `january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|viii|vii|vi|iv|v|ix|xii|xi|x|iii|ii|i`
	days     = `sunday|monday|tuesday|wednesday|thursday|friday|saturday|sun|mon|tues|tue|wednes|wed|thurs|thur|thu|fri|sat`
	units    = `ms|msecs?|milliseconds?|microseconds?|usecs?|secs?|seconds?|mins?|minutes?|hours?|days?|fortnights?|forthnights?|months?|years?|weeks?|weekdays?`
	ordinals = `first|second|third|fourth|fifth|sixth|seventh|eighth?|ninth|tenth|eleventh|twelfth|next|last|previous|this`
	zone     = `\(?[a-z]{1,6}\)?|[a-z]+(?:[_/-][a-z]+)+`
	offset   = `(?:gmt)?[+-](?:[01]?[0-9]|2[0-4]):?[0-5]?[0-9]?`
	hour24   = `([01]?[0-9]|2[0-4])`
	hour24lz = `([01][0-9]|2[0-4])`
	hour12   = `(0?[1-9]|1[0-2])`
	minute   = `([0-5]?[0-9])`
	minutelz = `([0-5][0-9])`
	second   = `([0-5]?[0-9]|60)`
	secondlz = `([0-5][0-9]|60)`
	meridian = `([ap])\.?m\.?(?:[\t ]|$)`
	month    = `(0?[0-9]|1[0-2])`
	monthlz  = `(0[0-9]|1[0-2])`
	day      = `([0-2]?[0-9]|3[01])(?:st|nd|rd|th)?`
	daylz    = `(0[0-9]|[1-2][0-9]|3[01])`
)

// compileRules builds the grammar. The forms and their order are those of
// PHP's timelib (ext/date/lib/parse_date.re), which takes the longest token.
func compileRules() []rule {
	rules := dateRules()
	rules = append(rules, timeRules()...)
	rules = append(rules, relativeRules()...)
	rules = append(rules,
		newRule(`(`+offset+`)`, func(s *scan, m []string) bool { return s.setZone(parseOffset(m[1])) }),
		newRule(`(`+zone+`)`, func(s *scan, m []string) bool { return s.setZone(parseZone(m[1])) }),
	)
	return rules
}

func newRule(pattern string, apply func(*scan, []string) bool) rule {
	re := regexp.MustCompile(`^(?:` + pattern + `)`)
	re.Longest()
	return rule{pattern: re, apply: apply}
}

// numericDate is a rule whose groups are a date's parts; order names them
// ("ymd", "mdy" …). A part that is missing is the first of its kind, or this
// year.
func numericDate(pattern, order string) rule {
	return newRule(pattern, func(s *scan, m []string) bool {
		year, mon, d := s.now.Year(), 1, 1
		for i, part := range order {
			switch text := m[i+1]; part {
			case 'y':
				year = fullYear(text)
			case 'm':
				mon = number(text)
			case 'M':
				mon = monthNumber(text)
			case 'd':
				d = number(text)
			}
		}
		return s.setDate(year, mon, d)
	})
}

func dateRules() []rule {
	const monthName, year, year4, gap = `(` + months + `)`, `([0-9]{1,4})`, `([0-9]{4})`, `[ .\t-]*`
	return []rule{
		numericDate(month+`/`+day, "md"),
		numericDate(month+`/`+day+`/`+year, "mdy"),
		numericDate(year4+`/`+month+`/`+day+`/?`, "ymd"),
		numericDate(`([+-]?[0-9]{4})-`+monthlz+`-`+daylz, "ymd"),
		numericDate(`([+-][0-9]{5,19})-`+monthlz+`-`+daylz, "ymd"),
		numericDate(year4+`-`+month, "ym"),
		numericDate(year+`-`+month+`-`+day, "ymd"),
		numericDate(day+`[.\t-]`+month+`[.-]`+year4, "dmy"),
		numericDate(day+`[.\t]`+month+`\.([0-9]{2})`, "dmy"),
		numericDate(day+gap+monthName+gap+year, "dMy"),
		numericDate(monthName+gap+year4, "My"),
		numericDate(year4+gap+monthName, "yM"),
		numericDate(monthName+gap+day+`[,.\t ]+`+year, "Mdy"),
		numericDate(monthName+gap+day+`(?:[,.\t ]+|$)`, "Md"),
		numericDate(day+gap+monthName, "dM"),
		numericDate(year4+monthlz+daylz, "ymd"),
		numericDate(monthName+`-`+daylz+`-`+year, "Mdy"),
		numericDate(year+`-`+monthName+`-`+daylz, "yMd"),
		newRule(monthName, func(s *scan, m []string) bool {
			return s.setDate(s.now.Year(), monthNumber(m[1]), s.now.Day())
		}),
		newRule(year4+`\.?(00[1-9]|0[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])`, func(s *scan, m []string) bool {
			return s.setDate(number(m[1]), 1, number(m[2]))
		}),
		newRule(year4+`-?w(0[1-9]|[1-4][0-9]|5[0-3])(?:-?([0-7]))?`, func(s *scan, m []string) bool {
			weekdayNumber := 1
			if m[3] != "" {
				weekdayNumber = number(m[3])
			}
			fourth := time.Date(number(m[1]), 1, 4, 0, 0, 0, 0, time.UTC)
			monday := 4 - (int(fourth.Weekday())+6)%7
			return s.setDate(number(m[1]), 1, monday+7*(number(m[2])-1)+weekdayNumber-1)
		}),
	}
}

func timeRules() []rule {
	const fraction = `([.:,][0-9]+)?`
	clock := func(pattern string) rule {
		return newRule(pattern, func(s *scan, m []string) bool {
			parts := append(m[1:], "", "", "")
			return s.setTime(number(parts[0]), number(parts[1]), number(parts[2]), parts[3])
		})
	}
	clock12 := func(pattern string) rule {
		return newRule(pattern, func(s *scan, m []string) bool {
			hour := number(m[1]) % 12
			if m[len(m)-1] == "p" {
				hour += 12
			}
			parts := append(m[2:len(m)-1:len(m)-1], "", "")
			return s.setTime(hour, number(parts[0]), number(parts[1]), "")
		})
	}
	return []rule{
		clock12(hour12 + `[ \t]*` + meridian),
		clock12(hour12 + `[:.]` + minutelz + `[ \t]*` + meridian),
		clock12(hour12 + `[:.]` + minute + `[:.]` + secondlz + `[ \t]*` + meridian),
		clock(`t?` + hour24 + `[:.]` + minute),
		clock(`t?` + hour24 + `[:.]` + minute + `[:.]` + second + fraction),
		clock(`t` + hour24),
		// Four digits are a time of day first; once that is known, a year.
		newRule(`t?`+hour24lz+minutelz, func(s *scan, m []string) bool {
			if s.hasTime && !strings.HasPrefix(m[0], "t") {
				return s.setYear(number(m[0]))
			}
			return s.setTime(number(m[1]), number(m[2]), 0, "")
		}),
		clock(`t?` + hour24lz + minutelz + secondlz + fraction),
		newRule(`[0-9]{4}`, func(s *scan, m []string) bool { return s.setYear(number(m[0])) }),
		newRule(`([0-9]{4}):`+monthlz+`:`+daylz+` `+hour24lz+`:`+minutelz+`:`+secondlz, func(s *scan, m []string) bool {
			return s.setDate(number(m[1]), number(m[2]), number(m[3])) &&
				s.setTime(number(m[4]), number(m[5]), number(m[6]), "")
		}),
		newRule(`([0-9]{4})`+monthlz+daylz+`t?`+hour24lz+minutelz+secondlz, func(s *scan, m []string) bool {
			return s.setDate(number(m[1]), number(m[2]), number(m[3])) &&
				s.setTime(number(m[4]), number(m[5]), number(m[6]), "")
		}),
		newRule(day+`/(`+months+`)/([0-9]{4}):`+hour24lz+`:`+minutelz+`:`+secondlz, func(s *scan, m []string) bool {
			return s.setDate(number(m[3]), monthNumber(m[2]), number(m[1])) &&
				s.setTime(number(m[4]), number(m[5]), number(m[6]), "")
		}),
	}
}

// setYear records a year that stands alone, in the date known so far.
func (s *scan) setYear(year int) bool {
	if !s.hasDate {
		s.hasDate, s.month, s.day = true, int(s.now.Month()), s.now.Day()
	}
	s.year = year
	return true
}

// fullYear reads a year of any length; two digits mean 1970 to 2069.
func fullYear(text string) int {
	sign := 1
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	digits := strings.TrimLeft(text, "+-")
	year := number(digits)
	if len(digits) < 4 && year < 100 {
		if year < 70 {
			return 2000 + year
		}
		return 1900 + year
	}
	return sign * year
}

func monthNumber(name string) int {
	roman := []string{"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"}
	for i, r := range roman {
		if name == r || strings.HasPrefix(name, strings.ToLower(time.Month(i + 1).String()[:3])) {
			return i + 1
		}
	}
	return 0
}

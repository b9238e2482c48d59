// Package phpdate reads dates the way PHP's DateTime constructor does, which is
// what Appwrite hands every datetime value to: ISO forms, American and textual
// dates, week dates, unix stamps, zones and relative words ("tomorrow",
// "+2 days", "last monday"). Overflowing days roll over (30 February is 1 or 2
// March) and a bare "2020" is a time of day, as on the real server.
package phpdate

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Layout is how Appwrite prints a stored time: UTC with milliseconds.
const Layout = "2006-01-02T15:04:05.000+00:00"

// ErrSyntax reports text that PHP's parser refuses.
var ErrSyntax = errors.New("not a date")

// Parser reads dates. It is safe for concurrent use; build one with New.
type Parser struct {
	now   func() time.Time
	rules func() []rule
}

// New returns a parser whose relative words ("now", "tomorrow") and missing
// parts are taken from now.
func New(now func() time.Time) *Parser {
	return &Parser{now: now, rules: sync.OnceValue(compileRules)}
}

// Parse reads text and returns its instant in UTC with PHP's microsecond
// precision. Empty text is the present instant. It returns ErrSyntax for text
// that PHP refuses.
func (p *Parser) Parse(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.000-07:00", "2006-01-02T15:04:05.000Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	s := scan{now: p.now().UTC().Truncate(time.Microsecond), zone: time.UTC}
	rest := strings.ToLower(strings.TrimSpace(text))
	for rest != "" {
		if strings.IndexByte(" \t\n.,", rest[0]) >= 0 {
			rest = rest[1:]
			continue
		}
		best, match := longest(p.rules(), rest)
		if match == nil || !best.apply(&s, match) {
			return time.Time{}, fmt.Errorf("%w: %q", ErrSyntax, text)
		}
		rest = rest[len(match[0]):]
	}
	return s.instant(), nil
}

// longest picks the rule that matches most of text; the earlier rule wins a tie.
func longest(rules []rule, text string) (rule, []string) {
	var best rule
	var match []string
	for _, r := range rules {
		if m := r.pattern.FindStringSubmatch(text); m != nil && (match == nil || len(m[0]) > len(match[0])) {
			best, match = r, m
		}
	}
	return best, match
}

// Format prints t as Appwrite does: UTC, cut (not rounded) to milliseconds.
func Format(t time.Time) string {
	return t.UTC().Truncate(time.Millisecond).Format(Layout)
}

// Package collation compares text the way the database below Appwrite does.
package collation

import (
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Fold maps every text that a backend holds equal to one and the same text,
// whose byte order is the backend's sort order.
type Fold func(string) string

// Exact compares byte by byte, as PostgreSQL and MongoDB do.
func Exact(s string) string { return s }

// General follows MariaDB's utf8mb4_general_ci: letter case, accents and
// trailing blanks make no difference, and letters sort as capitals.
func General(s string) string {
	s = strings.TrimRight(s, " ")
	ascii, upper := true, true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
		upper = upper && (s[i] < 'a' || s[i] > 'z')
	}
	switch {
	case ascii && upper:
		return s
	case ascii:
		return strings.ToUpper(s)
	}
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		plain = s
	}
	return strings.ToUpper(plain)
}

package phpdate

import (
	"strings"
	"time"
)

// parseOffset reads "+02:00", "-0530", "+2" and the same after "gmt".
func parseOffset(text string) *time.Location {
	text = strings.TrimPrefix(text, "gmt")
	sign := 1
	if text[0] == '-' {
		sign = -1
	}
	hours, minutes, split := strings.Cut(text[1:], ":")
	if !split && len(hours) > 2 {
		at := len(hours) - 2
		hours, minutes = hours[:at], hours[at:]
	}
	return time.FixedZone("", sign*(number(hours)*3600+number(minutes)*60))
}

// parseZone finds a zone by abbreviation, military letter or identifier. It
// returns nil for a word that names none.
func parseZone(word string) *time.Location {
	word = strings.Trim(word, "()")
	if word == "utc" || word == "gmt" || word == "z" {
		return time.UTC
	}
	if len(word) == 1 {
		return militaryZone(word[0])
	}
	if hours, ok := abbreviation(word); ok {
		return time.FixedZone(strings.ToUpper(word), int(hours*3600))
	}
	if !strings.ContainsAny(word, "/_") {
		return nil
	}
	location, err := time.LoadLocation(identifier(word))
	if err != nil {
		return nil
	}
	return location
}

// identifier gives "america/new_york" the capitals that the zone database has.
func identifier(word string) string {
	upper := true
	return strings.Map(func(r rune) rune {
		was := upper
		upper = r == '/' || r == '_' || r == '-'
		if was && r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, word)
}

// militaryZone is the zone of one letter: a to m (without j) east, n to y west.
func militaryZone(letter byte) *time.Location {
	switch {
	case letter >= 'a' && letter <= 'i':
		return time.FixedZone("", (int(letter-'a')+1)*3600)
	case letter >= 'k' && letter <= 'm':
		return time.FixedZone("", int(letter-'a')*3600)
	case letter >= 'n' && letter <= 'y':
		return time.FixedZone("", -(int(letter-'n')+1)*3600)
	}
	return nil
}

// abbreviation is the offset in hours of a common zone abbreviation.
func abbreviation(word string) (float64, bool) {
	hours, ok := map[string]float64{
		"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
		"akst": -9, "akdt": -8, "hst": -10, "ast": -4, "adt": -3, "nst": -3.5, "ndt": -2.5,
		"wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2, "eest": 3,
		"msk": 3, "ist": 5.5, "jst": 9, "kst": 9, "awst": 8, "acst": 9.5, "acdt": 10.5,
		"aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "sast": 2,
	}[word]
	return hours, ok
}

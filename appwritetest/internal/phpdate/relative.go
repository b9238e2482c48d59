package phpdate

import (
	"strings"
	"time"
)

func relativeRules() []rule {
	return []rule{
		newRule(`now`, func(*scan, []string) bool { return true }),
		newRule(`today|midnight`, func(s *scan, _ []string) bool { return s.clearTime() }),
		newRule(`noon`, func(s *scan, _ []string) bool { return s.setTime(12, 0, 0, "") }),
		newRule(`tomorrow`, func(s *scan, _ []string) bool { s.relative[unitDay]++; return s.clearTime() }),
		newRule(`yesterday`, func(s *scan, _ []string) bool { s.relative[unitDay]--; return s.clearTime() }),
		newRule(`@(-?[0-9]{1,17})(\.[0-9]{0,6})?`, unixStamp),
		newRule(`(first|last) day of`, func(s *scan, m []string) bool {
			s.monthEdge = firstDay
			if m[1] == "last" {
				s.monthEdge = lastDay
			}
			return true
		}),
		newRule(`([+-]*)[ \t]*([0-9]{1,13})[ \t]*(`+units+`|`+days+`)`, func(s *scan, m []string) bool {
			amount := number(m[2])
			if strings.Count(m[1], "-")%2 == 1 {
				amount = -amount
			}
			return s.move(amount, m[3])
		}),
		newRule(`(`+ordinals+`)[ \t]+(`+units+`|`+days+`)`, func(s *scan, m []string) bool {
			return s.move(ordinal(m[1]), m[2])
		}),
		newRule(`(`+days+`)`, func(s *scan, m []string) bool { return s.toWeekday(m[1], 0) }),
		newRule(`ago`, func(s *scan, _ []string) bool {
			for i := range s.relative {
				s.relative[i] = -s.relative[i]
			}
			if s.weekday != nil {
				s.weekday.n = -s.weekday.n
			}
			return true
		}),
	}
}

func (s *scan) clearTime() bool {
	s.midnight = true
	return true
}

// unixStamp sets the instant itself; relative words may still move it.
func unixStamp(s *scan, m []string) bool {
	seconds := int64(number(strings.TrimPrefix(m[1], "-")))
	if strings.HasPrefix(m[1], "-") {
		seconds = -seconds
	}
	s.absolute, s.isAbsolute = time.Unix(seconds, int64(nanos(m[2]))).UTC(), true
	return !s.hasDate && !s.hasTime && s.setZone(time.UTC)
}

// move adds n of a unit, or moves to the nth given weekday.
func (s *scan) move(n int, name string) bool {
	steps := []struct {
		prefix string
		unit   unit
		factor int
	}{
		{"weekday", unitWorkday, 1},
		{"week", unitDay, 7},
		{"wed", unitCount, 0},
		{"month", unitMonth, 1},
		{"mon", unitCount, 0},
		{"ms", unitMicrosecond, 1000},
		{"milli", unitMicrosecond, 1000},
		{"micro", unitMicrosecond, 1},
		{"usec", unitMicrosecond, 1},
		{"sec", unitSecond, 1},
		{"min", unitMinute, 1},
		{"hour", unitHour, 1},
		{"day", unitDay, 1},
		{"fort", unitDay, 14},
		{"year", unitYear, 1},
	}
	for _, step := range steps {
		if step.factor != 0 && strings.HasPrefix(name, step.prefix) {
			s.relative[step.unit] += n * step.factor
			return true
		}
	}
	return s.toWeekday(name, n)
}

func (s *scan) toWeekday(name string, n int) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.HasPrefix(name, strings.ToLower(d.String()[:3])) {
			s.weekday = &weekday{day: d, n: n}
			return s.clearTime()
		}
	}
	return false
}

// ordinal is the number that a word such as "third" or "last" stands for.
func ordinal(word string) int {
	words := strings.Fields("last this first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
	switch word {
	case "next":
		return 1
	case "previous":
		return -1
	case "eight":
		return 8
	}
	for i, w := range words {
		if w == word {
			return i - 1
		}
	}
	return 0
}

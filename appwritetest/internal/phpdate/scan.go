package phpdate

import (
	"strconv"
	"time"
)

// scan collects what the tokens of one text say.
type scan struct {
	now              time.Time
	zone             *time.Location
	year, month, day int
	hour, min, sec   int
	nano             int
	hasDate, hasTime bool
	hasZone          bool
	// midnight says that a relative word cleared the time of day.
	midnight   bool
	relative   [unitCount]int
	weekday    *weekday
	monthEdge  edge
	absolute   time.Time
	isAbsolute bool
}

type unit int

const (
	unitYear unit = iota
	unitMonth
	unitDay
	unitWorkday
	unitHour
	unitMinute
	unitSecond
	unitMicrosecond
	unitCount
)

// weekday is a day of the week to move to, n weeks on. When n is zero the
// present day counts.
type weekday struct {
	day time.Weekday
	n   int
}

type edge int

const (
	noEdge edge = iota
	firstDay
	lastDay
)

// setDate records a date; a second one is an error, as in PHP.
func (s *scan) setDate(year, month, day int) bool {
	if s.hasDate {
		return false
	}
	s.hasDate, s.year, s.month, s.day = true, year, month, day
	return true
}

// setTime records a time of day; a second one is an error.
func (s *scan) setTime(hour, minute, sec int, fraction string) bool {
	if s.hasTime {
		return false
	}
	s.hasTime, s.hour, s.min, s.sec, s.nano = true, hour, minute, sec, nanos(fraction)
	return true
}

func (s *scan) setZone(zone *time.Location) bool {
	if s.hasZone || zone == nil {
		return false
	}
	s.hasZone, s.zone = true, zone
	return true
}

// instant puts the parts together; what was not said comes from now, except
// that a date without a time means midnight.
func (s *scan) instant() time.Time {
	now := s.now.In(s.zone)
	if s.isAbsolute {
		now = s.absolute
	}
	year, month, day := now.Date()
	if s.hasDate {
		year, month, day = s.year, time.Month(s.month), s.day
	}
	hour, minute, sec, nano := now.Hour(), now.Minute(), now.Second(), now.Nanosecond()
	switch {
	case s.hasTime:
		hour, minute, sec, nano = s.hour, s.min, s.sec, s.nano
	case s.hasDate || s.midnight:
		hour, minute, sec, nano = 0, 0, 0, 0
	}
	year += s.relative[unitYear]
	month += time.Month(s.relative[unitMonth])
	switch s.monthEdge {
	case firstDay:
		day = 1
	case lastDay:
		month, day = month+1, 0
	case noEdge:
	}
	t := time.Date(year, month, day+s.relative[unitDay], hour, minute, sec, nano, s.zone)
	t = addWorkdays(t, s.relative[unitWorkday])
	if s.weekday != nil {
		t = t.AddDate(0, 0, s.weekday.days(t.Weekday()))
	}
	t = t.Add(time.Duration(s.relative[unitHour])*time.Hour +
		time.Duration(s.relative[unitMinute])*time.Minute +
		time.Duration(s.relative[unitSecond])*time.Second +
		time.Duration(s.relative[unitMicrosecond])*time.Microsecond)
	return t.UTC()
}

// days is the distance from one day of the week to the wanted one.
func (w weekday) days(from time.Weekday) int {
	ahead := (int(w.day) - int(from) + 7) % 7
	switch {
	case w.n == 0:
		return ahead
	case w.n > 0:
		if ahead == 0 {
			ahead = 7
		}
		return ahead + 7*(w.n-1)
	default:
		if ahead == 0 {
			ahead = 7
		}
		return ahead + 7*w.n
	}
}

func addWorkdays(t time.Time, n int) time.Time {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	for n = min(n, 100_000); n > 0; {
		t = t.AddDate(0, 0, step)
		if day := t.Weekday(); day != time.Saturday && day != time.Sunday {
			n--
		}
	}
	return t
}

// nanos reads ".123456789" as nanoseconds, cut to PHP's microseconds.
func nanos(fraction string) int {
	if len(fraction) < 2 {
		return 0
	}
	digits := (fraction[1:] + "000000")[:6]
	return number(digits) * 1000
}

// number reads digits; the patterns guarantee that they are some.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

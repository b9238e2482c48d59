package appwrite

import "time"

// Clock is the time that waiting goes by.
type Clock interface {
	Now() time.Time
	// After gives a channel that receives once d has passed, and a function
	// that gives the timer up earlier.
	After(d time.Duration) (fired <-chan time.Time, stop func())
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

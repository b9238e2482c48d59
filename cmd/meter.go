package cmd

import (
	"fmt"
	"time"
)

// meter counts what is written to it, and tells of it on stderr every few
// seconds: on a terminal in one line, elsewhere line by line.
type meter struct {
	app    *app
	word   string
	bytes  int64
	begun  time.Time
	told   time.Time
	closed bool
}

// meterEvery is how often a meter tells how far it is.
const meterEvery = 2 * time.Second

func (a *app) newMeter(word string) *meter {
	now := time.Now()
	return &meter{app: a, word: word, begun: now, told: now}
}

// Write counts.
func (m *meter) Write(p []byte) (int, error) {
	m.bytes += int64(len(p))
	if now := time.Now(); now.Sub(m.told) >= meterEvery {
		m.told = now
		m.tell("\n")
	}
	return len(p), nil
}

func (m *meter) tell(end string) {
	rate := int64(float64(m.bytes) / max(time.Since(m.begun).Seconds(), 0.001))
	fmt.Fprintf(m.app.streams.Err, "%s %s, %s/s%s", m.word, size(m.bytes), size(rate), end)
}

// close tells the end, once.
func (m *meter) close() {
	if !m.closed {
		m.closed = true
		m.tell("\n")
	}
}

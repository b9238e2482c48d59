package replica

import (
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// meter counts the requests of each operation of a run, forward and back. It is
// told by the engine from the goroutine that runs.
type meter struct {
	read    func() int64
	last    int64
	current string
	counted map[string]int64
}

func (m *meter) start() {
	m.counted, m.current, m.last = map[string]int64{}, "", m.read()
}

// Observe implements engine.Observer: what has been sent since the event before
// belongs to the operation that was going on.
func (m *meter) Observe(e engine.Event) {
	now := m.read()
	m.counted[m.current] += now - m.last
	m.last = now
	m.current, _, _ = strings.Cut(e.Operation, "/") // "3/undo/1" is of 3
}

func (m *meter) of(operation string) int64 { return m.counted[operation] }

package journaltest_test

import (
	"testing"

	"github.com/backstep-dev/backstep/journal/journaltest"
)

func TestMemoryPassesTheSuite(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, journaltest.Backend{New: func(*testing.T) journaltest.Opened {
		memory := journaltest.NewMemory()
		return journaltest.Opened{
			Store: memory,
			Damage: func(_ *testing.T, run string, seq int64, change func([]byte) []byte) {
				memory.Damage(run, seq, change)
			},
			DamageBlobs: func(_ *testing.T, change func(string, []byte) []byte) { memory.DamageBlobs(change) },
		}
	}})
}

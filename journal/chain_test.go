package journal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// TestARecordThatFollowsAnotherHistoryIsDamaged puts a record that is whole in
// itself, and has the right number, behind one that it was not written behind.
func TestARecordThatFollowsAnotherHistoryIsDamaged(t *testing.T) {
	t.Parallel()
	records := journaltest.Chain(t, "run", 4)
	rewritten, err := journal.NewRecord(records[0].Next(), "run", records[1].Time.Add(time.Second), records[1].Type, records[1].Operation, records[1].Body)
	if err != nil {
		t.Fatal(err)
	}
	forged := []journal.Record{records[0], rewritten, records[2], records[3]}
	_, foldErr := journal.Fold(forged)
	for name, err := range map[string]error{"chain": journal.CheckChain("run", forged), "fold": foldErr} {
		named, ok := errors.AsType[*journal.RecordError](err)
		if !errors.Is(err, journal.ErrDamaged) || !ok || named.Seq != 3 {
			t.Errorf("%s: error %v, want ErrDamaged of record 3", name, err)
		}
	}
}

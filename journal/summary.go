package journal

import "errors"

// Summarize makes a run's line in the list from its first and last record,
// which may be the same.
func Summarize(first, last Record) Summary {
	summary := Summary{
		Run: first.Run, Records: last.Seq, StartedAt: first.Time, UpdatedAt: last.Time, Status: StatusOpen,
		Undoing: last.Type == UndoIntent || last.Type == Undone,
	}
	var started Started
	summary.Err = errors.Join(edge(first, decodeBody(first, &started)), edge(last, nil))
	if first.Type != RunStarted && summary.Err == nil {
		summary.Err = &RecordError{Run: first.Run, Seq: first.Seq, Err: ErrSequence}
	}
	if last.Type == RunFinished {
		var finished Finished
		if err := decodeBody(last, &finished); err != nil {
			summary.Err = errors.Join(summary.Err, edge(last, err))
		} else {
			summary.Status = finished.Status
		}
	}
	summary.Migration, summary.Version, summary.Checksum = started.Migration, started.Version, started.Checksum
	summary.Direction, summary.Environment = started.Direction, started.Environment
	summary.Actor, summary.Host = started.Actor, started.Host
	return summary
}

// edge gives what is wrong with a record taken out of its chain.
func edge(r Record, err error) error {
	if err == nil {
		err = r.check()
	}
	if err == nil {
		return nil
	}
	return &RecordError{Run: r.Run, Seq: r.Seq, Err: err}
}

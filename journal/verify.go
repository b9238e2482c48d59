package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Verification is what Verify found out about a run.
type Verification struct {
	State    State
	Records  int
	Archives []ArchiveRef // every archive that the records speak of, all whole
}

// Verify checks one run as a whole: each record, the chain, the sequence, and
// every archive that a memento points at. What is sealed and cannot be opened
// is held against the sums of what is stored.
func Verify(ctx context.Context, store Store, run string) (Verification, error) {
	records, err := store.Records(ctx, run)
	if err != nil {
		return Verification{}, err
	}
	state, err := Fold(records)
	if err != nil {
		return Verification{}, err
	}
	verification := Verification{State: state, Records: len(records)}
	for _, r := range records {
		for _, ref := range ArchiveRefs(r.Body) {
			if slices.Contains(verification.Archives, ref) {
				continue
			}
			if err := CheckArchive(ctx, store.Archives(), ref); err != nil {
				return verification, &RecordError{Run: run, Seq: r.Seq, Err: fmt.Errorf("it points at an archive: %w", err)}
			}
			verification.Archives = append(verification.Archives, ref)
		}
	}
	return verification, nil
}

// ArchiveRefs finds the references to archives in a JSON value: every object
// that has the fields of an ArchiveRef and no others.
func ArchiveRefs(value json.RawMessage) []ArchiveRef {
	var refs []ArchiveRef
	collectRefs(value, &refs)
	return refs
}

func collectRefs(value json.RawMessage, refs *[]ArchiveRef) {
	var ref ArchiveRef
	if decodeStrict(value, &ref) == nil && ref.Name != "" && len(ref.SHA256) == 64 {
		*refs = append(*refs, ref)
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) == nil {
		keys := make([]string, 0, len(fields))
		for key := range fields {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			collectRefs(fields[key], refs)
		}
		return
	}
	var items []json.RawMessage
	if json.Unmarshal(value, &items) == nil {
		for _, item := range items {
			collectRefs(item, refs)
		}
	}
}

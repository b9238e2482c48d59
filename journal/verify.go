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
	// Receipts counts the receipts that the records speak of and that are
	// committed. Absent are the operations whose receipt is not there, as in a
	// journal that the run was imported into: what they did is on record all the
	// same, since the record was written after the receipt was seen.
	Receipts int
	Absent   []string
}

// Verify checks one run as a whole: each record, the chain, the sequence, every
// archive that a memento points at, and every receipt that a record has the hash
// of. What is sealed and cannot be opened is held against the sums of what is
// stored. The error is a *RecordError that names the record.
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
	return verification, verification.receipts(ctx, store, records)
}

// receipts holds the records against the receipts that they have the hash of.
func (v *Verification) receipts(ctx context.Context, store Store, records []Record) error {
	var committed map[string]Receipt
	for _, r := range records {
		var body struct {
			Receipt string `json:"receipt"`
		}
		if r.Type != Applied && r.Type != Undone || json.Unmarshal(r.Body, &body) != nil || body.Receipt == "" {
			continue
		}
		if committed == nil {
			var err error
			if committed, err = committedReceipts(ctx, store, r.Run); err != nil {
				return &RecordError{Run: r.Run, Seq: r.Seq, Err: fmt.Errorf("it speaks of a receipt: %w", err)}
			}
		}
		receipt, there := committed[r.Operation]
		if !there {
			v.Absent = append(v.Absent, r.Operation)
			continue
		}
		if sum, err := receipt.Hash(); err != nil || sum != body.Receipt {
			return &RecordError{Run: r.Run, Seq: r.Seq, Err: fmt.Errorf("%w: the receipt that is committed is another one", ErrDamaged)}
		}
		v.Receipts++
	}
	return nil
}

// committedReceipts gives the committed receipts of a run by their operation:
// none where the store keeps no receipts.
func committedReceipts(ctx context.Context, store Store, run string) (map[string]Receipt, error) {
	out := make(map[string]Receipt)
	keeper, ok := store.(ReceiptKeeper)
	if !ok {
		return out, nil
	}
	lister, ok := keeper.Receipts().(ReceiptLister)
	if !ok {
		return out, nil
	}
	receipts, err := lister.Applied(ctx, run)
	if err != nil {
		return nil, err
	}
	for _, r := range receipts {
		if _, twice := out[r.Operation]; twice {
			return nil, fmt.Errorf("%w: operation %s has two receipts", ErrDamaged, r.Operation)
		}
		out[r.Operation] = r
	}
	return out, nil
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

package remote

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// The states of a receipt. A receipt is made once, in one of them, and never
// changed: whichever is made first is what happened.
const (
	stateApplied = "applied" // by the transaction that the receipt is part of
	stateRevoked = "revoked" // by whoever wants to be sure that it never is
)

// maxOperation is how many characters the id of an operation may have.
const maxOperation = 1024

// receiptBook hands out and revokes receipts.
type receiptBook struct{ place }

var (
	_ journal.Receipts      = receiptBook{}
	_ journal.ReceiptLister = receiptBook{}
)

// slotOf is the key of one operation's receipts.
func slotOf(run, operation string) string { return keyOf(keyOf(run) + "/" + operation) }

// receipt makes the receipt of a generation.
func (b receiptBook) receipt(run, operation string, generation int) journal.Receipt {
	r := journal.Receipt{
		Run: run, Operation: operation, Generation: generation,
		Database: b.database, Collection: receiptsCollection, ID: slotOf(run, operation) + "-" + strconv.Itoa(generation),
	}
	r.Data = dataOf(r, stateApplied)
	return r
}

func dataOf(r journal.Receipt, state string) map[string]any {
	return map[string]any{
		"key": keyOf(r.Run), "slot": slotOf(r.Run, r.Operation), "run": r.Run, "operation": r.Operation,
		"generation": r.Generation, "state": state,
	}
}

// Next implements journal.Receipts.
func (b receiptBook) Next(ctx context.Context, run, operation string) (journal.Receipt, bool, error) {
	r, applied, err := b.next(ctx, run, operation)
	if err != nil {
		return journal.Receipt{}, false, fmt.Errorf("find the receipt of operation %s of run %s: %w", operation, run, typed(err))
	}
	return r, applied, nil
}

func (b receiptBook) next(ctx context.Context, run, operation string) (journal.Receipt, bool, error) {
	if err := checkSlot(run, operation); err != nil {
		return journal.Receipt{}, false, err
	}
	documents, err := b.list(ctx, query.Equal("slot", slotOf(run, operation)))
	if err != nil {
		return journal.Receipt{}, false, err
	}
	states := make(map[string]string, len(documents))
	for _, doc := range documents {
		r, state, err := b.read(doc)
		if err != nil {
			return journal.Receipt{}, false, err
		}
		states[r.ID] = state
	}
	for generation := 0; ; generation++ {
		r := b.receipt(run, operation, generation)
		state, there := states[r.ID]
		delete(states, r.ID)
		if state == stateRevoked {
			continue
		}
		if len(states) > 0 {
			return r, false, fmt.Errorf("%w: receipt %s has later ones, though it was not revoked", journal.ErrDamaged, r.ID)
		}
		return r, there, nil
	}
}

// Revoke implements journal.Receipts.
func (b receiptBook) Revoke(ctx context.Context, r journal.Receipt) (applied bool, err error) {
	if err := b.known(r); err != nil {
		return false, err
	}
	err = b.patience.do(ctx, func(ctx context.Context) error {
		_, err := b.client.CreateDocument(ctx, b.database, receiptsCollection,
			appwrite.Document{ID: r.ID, Permissions: []string{}, Data: dataOf(r, stateRevoked)})
		if !errors.Is(err, appwrite.ErrExists) {
			return err
		}
		doc, err := b.client.FindDocument(ctx, b.database, receiptsCollection, r.ID)
		if err != nil {
			return err
		}
		_, state, err := b.read(doc)
		applied = state == stateApplied
		return err
	})
	if err != nil {
		return false, fmt.Errorf("revoke the receipt of operation %s of run %s: %w", r.Operation, r.Run, typed(err))
	}
	return applied, nil
}

// Applied implements journal.ReceiptLister.
func (b receiptBook) Applied(ctx context.Context, run string) ([]journal.Receipt, error) {
	documents, err := b.list(ctx, query.Equal("key", keyOf(run)))
	if err != nil {
		return nil, fmt.Errorf("list the receipts of run %s: %w", run, typed(err))
	}
	var receipts []journal.Receipt
	for _, doc := range documents {
		r, state, err := b.read(doc)
		if err != nil {
			return nil, err
		}
		if state == stateApplied {
			receipts = append(receipts, r)
		}
	}
	return receipts, nil
}

func (b receiptBook) list(ctx context.Context, match string) (documents []appwrite.Document, err error) {
	err = b.patience.do(ctx, func(ctx context.Context) error {
		documents = nil
		for page, err := range b.client.Walk(ctx, b.database, receiptsCollection, appwrite.WalkOptions{Queries: []string{match}}) {
			if err != nil {
				return err
			}
			documents = append(documents, page...)
		}
		return nil
	})
	return documents, err
}

// read reads a receipt and its state. What it says must be what its id says.
func (b receiptBook) read(doc appwrite.Document) (journal.Receipt, string, error) {
	r := b.receipt(textIn(doc, "run"), textIn(doc, "operation"), int(numberIn(doc, "generation")))
	state := textIn(doc, "state")
	if doc.ID != r.ID || textIn(doc, "key") != keyOf(r.Run) || textIn(doc, "slot") != slotOf(r.Run, r.Operation) ||
		state != stateApplied && state != stateRevoked {
		return r, "", fmt.Errorf("%w: document %s is no receipt", journal.ErrDamaged, doc.ID)
	}
	return r, state, nil
}

// known refuses receipts that are not this journal's.
func (b receiptBook) known(r journal.Receipt) error {
	if err := checkSlot(r.Run, r.Operation); err != nil {
		return err
	}
	if own := b.receipt(r.Run, r.Operation, r.Generation); own.ID != r.ID || own.Database != r.Database || own.Collection != r.Collection {
		return fmt.Errorf("%w: receipt %s/%s/%s is not of this journal", journal.ErrInvalid, r.Database, r.Collection, r.ID)
	}
	return nil
}

func checkSlot(run, operation string) error {
	if operation == "" || !utf8.ValidString(operation) || utf8.RuneCountInString(operation) > maxOperation {
		return fmt.Errorf("%w: the id of an operation has 1 to %d characters, not %q", journal.ErrInvalid, maxOperation, operation)
	}
	return checkRun(run)
}

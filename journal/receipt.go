package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Receipt is a document that is committed in one transaction with the effect of
// an operation, so that its presence tells whether the operation has acted,
// however its answer got lost. Receipts stand outside the chain of records; the
// next record of the operation holds the receipt's hash.
type Receipt struct {
	Run       string `json:"run"`
	Operation string `json:"operation"` // or "<operation>/undo/<n>"
	// Generation counts the receipts of the operation that were revoked before
	// this one. It never counts attempts: a later generation may be committed
	// only after every earlier one is known to be revoked, so that at most one
	// of them is ever applied.
	Generation int `json:"generation"`
	// Database, Collection, ID and Data are the document that goes into the
	// transaction, created by it.
	Database   string         `json:"-"`
	Collection string         `json:"-"`
	ID         string         `json:"-"`
	Data       map[string]any `json:"-"`
}

// Hash is the SHA-256, hexadecimal, of what the receipt says.
func (r Receipt) Hash() (string, error) {
	data, err := Canonical(r)
	if err != nil {
		return "", fmt.Errorf("hash the receipt of operation %s: %w", r.Operation, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Receipts hands out receipts and revokes them.
type Receipts interface {
	// Next gives the receipt under which the operation's next attempt commits:
	// that of the first generation that is not revoked. applied tells that this
	// very receipt is committed already, and so the operation has acted.
	Next(ctx context.Context, run, operation string) (r Receipt, applied bool, err error)
	// Revoke makes sure that nothing can be committed under r any more. applied
	// tells that it was too late: r is committed. Nothing but the answer of this
	// call is evidence that an operation has not acted and never will.
	Revoke(ctx context.Context, r Receipt) (applied bool, err error)
}

// ReceiptKeeper is implemented by stores that can keep receipts.
type ReceiptKeeper interface {
	// Receipts gives them, nil where the server has no transactions.
	Receipts() Receipts
}

// ReceiptLister is implemented by receipts that can tell all of a run's at once.
type ReceiptLister interface {
	// Applied lists the receipts of a run that are committed.
	Applied(ctx context.Context, run string) ([]Receipt, error)
}

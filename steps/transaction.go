package steps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// transactionLife is how long a transaction lives that nobody commits: longer
// than its five requests may take, so that it does not expire on the way.
const transactionLife = 5 * time.Minute

// cleanupTime bounds the removal of a transaction that will not be committed.
const cleanupTime = 10 * time.Second

// commit makes changes and a receipt in one transaction, all or nothing. Changes
// by others that happen before they are staged are for still to notice, which is
// asked in between; those that happen after make the transaction fail with
// appwrite.ErrConflict. So nothing is overwritten that was not seen. (What is
// created, and what is incremented, needs no look.)
//
// Nothing has happened when it fails before the commit is sent, and when the
// server says so; its error is ambiguous otherwise, and only the receipt tells.
func commit(ctx context.Context, client *appwrite.Client, receipt journal.Receipt, changes []appwrite.Operation,
	still func(context.Context) error,
) error {
	for range guardTries {
		transaction, err := stage(ctx, client, receipt, changes)
		if err == nil && still != nil {
			err = still(ctx)
		}
		sent := err == nil
		if sent {
			_, err = client.Commit(ctx, transaction)
		}
		if err == nil {
			return nil
		}
		if transaction != "" && (!sent || appwrite.Classify(err) != appwrite.Ambiguous) {
			discard(ctx, client, transaction)
		}
		if !errors.Is(err, appwrite.ErrTransactionNotReady) {
			return err
		}
	}
	return fmt.Errorf("%w: transactions expire faster than they are committed", ErrRefused)
}

// stage opens a transaction and puts the receipt and the changes into it, the
// receipt first: one that is revoked makes the commit fail before it does
// anything. The id is given as soon as there is a transaction.
func stage(ctx context.Context, client *appwrite.Client, receipt journal.Receipt, changes []appwrite.Operation) (string, error) {
	transaction, err := client.CreateTransaction(ctx, transactionLife)
	if err != nil {
		return "", notActed(err)
	}
	operations := append([]appwrite.Operation{{
		Database: receipt.Database, Collection: receipt.Collection, Action: appwrite.ActionCreate,
		Document: receipt.ID, Data: receipt.Data,
	}}, changes...)
	if _, err := client.StageOperations(ctx, transaction.ID, operations); err != nil {
		return transaction.ID, notActed(err)
	}
	return transaction.ID, nil
}

// discard removes a transaction that has failed or will not be committed. The
// server does so, too, in time.
func discard(ctx context.Context, client *appwrite.Client, transaction string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_ = client.DeleteTransaction(ctx, transaction)
}

// missed makes a conflict of the news that a document is gone: it is looked at
// anew, and found missing.
func missed(err error) error {
	if errors.Is(err, appwrite.ErrNotFound) && !errors.Is(err, appwrite.ErrContainerNotFound) {
		return fmt.Errorf("%w: %w", appwrite.ErrConflict, err)
	}
	return err
}

// idleError is the failure of a request that changes no document, whatever
// became of it: what is ambiguous for others is merely transient.
type idleError struct{ err error }

func (e *idleError) Error() string { return e.err.Error() }

func (e *idleError) Unwrap() error { return e.err }

func notActed(err error) error { return &idleError{err: err} }

// afterCommit marks the failure of a read that follows a commit: the step has acted.
func afterCommit(site engine.Site, err error) error {
	if err == nil || site.Receipt == nil {
		return err
	}
	return &halfError{err: err}
}

// commit makes changes to the document together with the site's receipt.
func (p place) commit(ctx context.Context, site engine.Site, changes []appwrite.Operation, still func(context.Context) error) error {
	return commit(ctx, p.client, *site.Receipt, changes, still)
}

// unchanged gives a check that the document still is as it was read. One that
// is not is appwrite.ErrConflict.
func (p place) unchanged(links []string, live documentImage) func(context.Context) error {
	return func(ctx context.Context) error {
		now, found, err := p.read(ctx, links)
		if err != nil {
			return err
		}
		if !found || now.UpdatedAt != live.UpdatedAt || len(now.differs(live)) > 0 {
			return stopped(p.ref(), appwrite.ErrConflict, "")
		}
		return nil
	}
}

// operation is one change of the document in a transaction.
func (p place) operation(action appwrite.Action, values DocumentValues) appwrite.Operation {
	return appwrite.Operation{
		Database: p.database, Collection: p.collection, Action: action, Document: p.id,
		Data: values.Data, Permissions: values.Permissions,
	}
}

// maxStaged is how many characters of JSON one operation of a transaction takes.
const maxStaged = 5_000_000

// stages reports whether a transaction writes values as single requests would.
// Texts that look like operators would be computed, and a permission to write
// is taken apart by the single routes only. Relationships are left to these,
// too: what is wrong about them ends in a 500 that tells nothing, with the
// transaction left hanging.
func (f shape) stages(values DocumentValues) bool {
	if !f.server.Transactions {
		return false
	}
	for key, value := range values.Data {
		if f.attributes[key].Relationship != nil || appwrite.LooksLikeOperator(value) {
			return false
		}
	}
	if values.Permissions != nil && slices.ContainsFunc(*values.Permissions, func(permission string) bool {
		return strings.HasPrefix(permission, "write(")
	}) {
		return false
	}
	raw, err := encode(values)
	return err == nil && utf8.RuneCount(raw) < maxStaged
}

// staged reads stageable from a memento.
func staged(before engine.Memento) bool {
	var m stageable
	return json.Unmarshal(before, &m) == nil && m.Staged
}

// absentOrTwin reports whether an error says that a document, or what contains
// it, is not there.
func absentOrTwin(err error) bool {
	return errors.Is(err, appwrite.ErrNotFound) || errors.Is(err, ErrMissing) || errors.Is(err, ErrExists)
}

// committed asks a step that is known by its interface only.
func committed(ctx context.Context, step engine.Step, site engine.Site, before engine.Memento) (engine.Observation, error) {
	if receiptable, ok := step.(engine.Receiptable); ok {
		return receiptable.Committed(ctx, site, before)
	}
	return nil, stopped(step.Target(), engine.ErrUnknownOutcome, "%s knows nothing of receipts", step.Kind())
}

// stageable is what a memento tells about a transaction.
type stageable struct {
	// Staged says that the step commits through a transaction where it gets a receipt.
	Staged bool `json:"staged,omitempty"`
}

package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/journal"
)

// Receiptable is implemented by steps whose effect can be committed in one
// transaction with a receipt, which then tells whether they have acted. What is
// committed is in effect: there is nothing to settle. An Apply that fails after
// it has asked for the commit gives an ambiguous error, unless the server says
// that the commit has failed.
type Receiptable interface {
	// Receiptable reports whether the step commits with a receipt, given this
	// before-image. It is pure, asked once, and its answer recorded with the
	// intent; from then on every Apply has a Site.Receipt.
	Receiptable(before Memento) bool
	// Committed gives what is known of the effect when only the receipt tells
	// that it was committed. The object may have been changed, or removed, by
	// others since; Inverse must cope with what this gives.
	Committed(ctx context.Context, site Site, before Memento) (Observation, error)
}

// Exacting is implemented by steps that must not be done without a receipt.
type Exacting interface {
	// Exacting gives the reason and what to do about it, or "" when the step
	// can be done without one.
	Exacting() string
}

// exacting gives why a step needs a receipt, "" when it does not.
func exacting(step Step) string {
	if exacting, ok := step.(Exacting); ok {
		return exacting.Exacting()
	}
	return ""
}

// errRevoked says that somebody else has revoked the receipt under which this
// run was acting: there is another holder.
var errRevoked = errors.New("another process has taken the run over: it has revoked the receipt")

// WithReceipts sets where the receipts of operations are kept; nil, the default,
// is nowhere. With receipts, every step that can commits together with one, and
// whether it has acted is decided by revoking that and by nothing else.
func WithReceipts(receipts journal.Receipts) Option {
	return func(e *Engine) error {
		e.receipts = receipts
		return nil
	}
}

// WithoutRivals says that nobody else writes and no answer gets lost, as on a
// copy that is used once: steps that must not be done without a receipt are done
// without.
func WithoutRivals() Option {
	return func(e *Engine) error {
		e.unrivalled = true
		return nil
	}
}

// receiptable decides whether a step will commit with a receipt. Steps that
// need one and cannot have it are refused, while nothing has been changed.
func (x *execution) receiptable(a *act, before Memento) (bool, error) {
	step, ok := a.step.(Receiptable)
	if ok && x.receipts != nil && step.Receiptable(before) {
		return true, nil
	}
	if reason := exacting(a.step); reason != "" && !x.unrivalled {
		return false, a.fail(DoingCapture, fmt.Errorf("%w: %s", ErrRefused, reason))
	}
	return false, nil
}

// present makes ready for an attempt that commits with a receipt: it ends the
// doubt that an earlier one has left, and finds the receipt for the next.
// applied tells that there is no next: the receipt is committed.
//
// A receipt other than the first is used only behind an intent that says so. If
// another process has taken the run over, this one fails to write that, and so
// never uses a receipt which the other has not revoked.
func (x *execution) present(ctx, own context.Context, a *act) (applied bool, err error) {
	if a.site.Doubtful {
		if applied, err := x.decide(own, a); applied || err != nil {
			return applied, err
		}
	}
	if a.generation != x.promise(a).Generation {
		if err := x.renew(own, a); err != nil {
			return false, err
		}
	}
	return x.hold(ctx, a)
}

// promise is what the records say of the receipt of a step.
func (x *execution) promise(a *act) journal.Promise {
	operation := x.state.Operations[a.index]
	for n, undo := range operation.Undo {
		if journal.UndoID(operation.ID, n+1) == a.id {
			return undo.Promise
		}
	}
	return operation.Promise
}

// renew records that the next attempt is made under the next receipt.
func (x *execution) renew(own context.Context, a *act) error {
	if !a.undoing {
		return x.append(own, journal.Intent, a.id, journal.Intended{Before: a.before, Receipted: true, Generation: a.generation})
	}
	return x.append(own, journal.UndoIntent, a.id, journal.UndoIntended{Before: a.before, Receipted: true, Generation: a.generation})
}

// hold finds the receipt that is in use. Another generation than the recorded
// one tells that another process has taken the run over.
func (x *execution) hold(ctx context.Context, a *act) (applied bool, err error) {
	receipt, applied, err := x.receipts.Next(ctx, x.state.Run, a.id)
	if err != nil {
		return false, fmt.Errorf("find the receipt of operation %s: %w", a.id, err)
	}
	if receipt.Generation < a.generation {
		return false, fmt.Errorf("%w: receipt %d of operation %s was revoked, and is not there", ErrJournal, receipt.Generation, a.id)
	}
	if receipt.Generation > a.generation && !a.taken {
		return false, fmt.Errorf("%w: %w", ErrGuard, errRevoked)
	}
	a.site.Receipt = &receipt
	return applied, nil
}

// decide ends the doubt about what a step has done under its receipt: revoked,
// it has not acted and never will; committed, it has. A receipt that is revoked
// already, and not by this process, tells that there is another holder; or that
// there was one, when this process is taking over.
func (x *execution) decide(own context.Context, a *act) (applied bool, err error) {
	if !a.revoking {
		if applied, err := x.hold(own, a); applied || err != nil {
			return applied, err
		}
		a.revoking = true // from here on it may be this process that has revoked it
	}
	if a.site.Receipt.Generation == a.generation {
		if err := x.guard(own); err != nil {
			return false, fmt.Errorf("%w: %w", ErrGuard, err)
		}
		if applied, err = x.receipts.Revoke(own, *a.site.Receipt); err != nil {
			return false, fmt.Errorf("revoke the receipt of operation %s: %w", a.id, err)
		}
	}
	a.revoking = false
	if applied {
		return true, nil
	}
	// Where others were revoked before, whoever did so has recorded nothing since.
	a.generation = max(a.generation+1, a.site.Receipt.Generation)
	a.taken, a.site.Doubtful, a.site.Receipt = false, false, nil
	return false, nil
}

// adopt gives what is known of an effect that its receipt tells of.
func (x *execution) adopt(own context.Context, a *act) (Observation, error) {
	step, ok := a.step.(Receiptable)
	if !ok {
		return nil, fmt.Errorf("%w: %s has been committed with a receipt, and knows nothing of receipts", ErrRefused, a.step.Kind())
	}
	after, err := step.Committed(own, a.site, a.before)
	if err != nil {
		return nil, fmt.Errorf("read what was committed: %w", err)
	}
	return after, nil
}

// hash is the hash of the receipt that was committed with a step's effect, ""
// for a step without.
func (a *act) hash() (string, error) {
	if !a.receipted {
		return "", nil
	}
	if a.site.Receipt == nil {
		return "", fmt.Errorf("%w: operation %s was to commit with a receipt and has none", ErrUnknownOutcome, a.id)
	}
	return a.site.Receipt.Hash()
}

// openReceipt names the operation or inverse step that the records leave open
// under a receipt, "" for none. There is at most one: each ends before the next
// begins.
func openReceipt(state journal.State) string {
	for _, operation := range state.Operations {
		if operation.Phase == journal.PhaseIntended && operation.Receipted {
			return operation.ID
		}
		for n, undo := range operation.Undo {
			if undo.Phase == journal.PhaseIntended && undo.Receipted {
				return journal.UndoID(operation.ID, n+1)
			}
		}
	}
	return ""
}

// open is the act that the records leave open under a receipt, nil for none.
func (x *execution) open() (*act, error) {
	id := openReceipt(x.state)
	for i, operation := range x.state.Operations {
		if operation.ID == id {
			a := x.forwardAct(i)
			x.takeOver(a, operation.Before, operation.Promise)
			return a, nil
		}
		for n, undo := range operation.Undo {
			if journal.UndoID(operation.ID, n+1) != id {
				continue
			}
			step, err := x.codec.Decode(undo.Step)
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", ErrRefused, id, err)
			}
			report := &UndoReport{}
			a := &act{id: id, index: i, step: step, undoing: true, attempt: &report.Attempts, waited: &report.Waited}
			a.site = x.site(a, x.conflict)
			x.takeOver(a, undo.Before, undo.Promise)
			return a, nil
		}
	}
	return nil, nil //nolint:nilnil // nothing is open
}

// settleOpen comes before anything else when a run is taken over: it revokes
// the receipt of what another process has left open, so that nothing of it can
// be committed any more, and records what was committed already.
func (x *execution) settleOpen(ctx context.Context) error {
	a, err := x.open()
	if a == nil || err != nil {
		return err
	}
	own, stop := x.detached(ctx)
	defer stop()
	applied := false
	var after Observation
	x.phase(a, DoingProbe)
	err = x.retry(ctx, a, DoingProbe, func() (err error) {
		if applied, err = x.decide(own, a); err == nil && applied {
			after, err = x.adopt(own, a)
		}
		return err
	})
	if err != nil {
		return err
	}
	if !applied {
		x.decided = held{operation: a.id, generation: a.generation}
		if !a.undoing {
			x.doubt[a.index] = false
		}
		return nil
	}
	if a.undoing {
		return x.undone(own, a, after, true)
	}
	return x.applied(own, a, after, true)
}

// held is what settleOpen knows not to have acted, and the generation of the
// receipt for its next attempt.
type held struct {
	operation  string
	generation int
}

// takeOver readies a step that another process, or an earlier call, has begun.
// What settleOpen has decided about it holds for its first attempt.
func (x *execution) takeOver(a *act, before Memento, promise journal.Promise) {
	a.before, a.receipted, a.generation = before, promise.Receipted, promise.Generation
	a.taken, a.site.Doubtful = true, true
	if x.decided.operation == a.id {
		a.generation, a.taken, a.site.Doubtful = x.decided.generation, false, false
		x.decided = held{}
	}
}

// revokeOpen makes sure that nothing comes after a run that a person closes.
func (x *execution) revokeOpen(ctx context.Context) error {
	id := openReceipt(x.state)
	if x.receipts == nil || id == "" {
		return nil
	}
	receipt, applied, err := x.receipts.Next(ctx, x.state.Run, id)
	if err == nil && !applied {
		if err := x.guard(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrGuard, err)
		}
		_, err = x.receipts.Revoke(ctx, receipt)
	}
	if err != nil {
		return fmt.Errorf("revoke the receipt of operation %s: %w", id, err)
	}
	return nil
}

// applied records that an operation is in effect.
func (x *execution) applied(ctx context.Context, a *act, after Observation, adopted bool) error {
	x.phase(a, DoingRecord)
	receipt, err := a.hash()
	if err != nil {
		return a.fail(DoingRecord, err)
	}
	if err := x.append(ctx, journal.Applied, a.id, journal.Observed{After: after, Adopted: adopted, Receipt: receipt}); err != nil {
		return err
	}
	x.doubt[a.index] = false
	x.phase(a, DoingDone)
	return nil
}

// actedUnderReceipt reports whether an operation of which only the intent is
// known has acted, and records it when it has. Nothing of it can be committed
// any more once this has answered.
func (x *execution) actedUnderReceipt(own context.Context, a *act) (acted bool, err error) {
	forward := x.forwardAct(a.index)
	x.takeOver(forward, a.before, x.state.Operations[a.index].Promise)
	if !forward.site.Doubtful {
		return false, nil
	}
	var after Observation
	err = x.retry(own, a, DoingProbe, func() (err error) {
		if acted, err = x.decide(own, forward); err == nil && acted {
			after, err = x.adopt(own, forward)
		}
		return err
	})
	if err != nil || !acted {
		return false, err
	}
	a.site.Doubtful = false
	return true, x.applied(own, forward, after, true)
}

package journal

import "fmt"

// renew takes in the intent to act under a later receipt, because the one
// before is revoked.
func (p *Promise) renew(r Record, receipted bool, generation int, same bool) error {
	if !p.Receipted || !receipted || !same || generation <= p.Generation {
		return fmt.Errorf("%w: %s of %s again, with generation %d after %d", ErrSequence, r.Type, r.Operation, generation, p.Generation)
	}
	p.Generation = generation
	return nil
}

// keep takes in the receipt of what was done: what was intended under one names
// it, and nothing else does.
func (p *Promise) keep(r Record, receipt string) error {
	if p.Receipted != (receipt != "") {
		return fmt.Errorf("%w: %s of %s with receipt %q, receipted: %t", ErrSequence, r.Type, r.Operation, receipt, p.Receipted)
	}
	p.Receipt = receipt
	return nil
}

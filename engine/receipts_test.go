package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal"
)

// receipts keeps receipts in the world, where the effects are.
type receipts struct {
	world *world
	// fails gives the error of a call; acts says that it has acted all the same.
	fails func(call string) (err error, acts bool)
}

func receiptID(r journal.Receipt) string {
	return r.Run + "/" + r.Operation + "/" + strconv.Itoa(r.Generation)
}

func (r receipts) failure(call string) (err error, acts bool) {
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	if r.world.offline {
		return errOffline, false
	}
	if r.fails != nil {
		return r.fails(call)
	}
	return nil, false
}

func (r receipts) Next(ctx context.Context, run, operation string) (journal.Receipt, bool, error) {
	r.world.point("next " + operation)
	if err := ctx.Err(); err != nil {
		return journal.Receipt{}, false, err
	}
	if err, _ := r.failure("next"); err != nil {
		return journal.Receipt{}, false, err
	}
	r.world.mu.Lock()
	defer r.world.mu.Unlock()
	for receipt := (journal.Receipt{Run: run, Operation: operation}); ; receipt.Generation++ {
		receipt.ID = receiptID(receipt)
		if state := r.world.receipts[receipt.ID]; state != "revoked" {
			return receipt, state == "applied", nil
		}
	}
}

func (r receipts) Revoke(ctx context.Context, receipt journal.Receipt) (bool, error) {
	r.world.point("revoke " + receipt.Operation)
	if err := ctx.Err(); err != nil {
		return false, err
	}
	err, acts := r.failure("revoke")
	if err != nil && !acts {
		return false, err
	}
	r.world.mu.Lock()
	if r.world.receipts[receipt.ID] == "" {
		r.world.receipts[receipt.ID] = "revoked"
	}
	applied := r.world.receipts[receipt.ID] == "applied"
	r.world.mu.Unlock()
	r.world.point("revoked " + receipt.Operation)
	return applied, err
}

// signed is a step of the world that commits with a receipt.
type signed struct{ step }

func (s signed) Receiptable(engine.Memento) bool { return s.Name != "slow" && s.Name != "many" }

func (s signed) Committed(_ context.Context, site engine.Site, _ engine.Memento) (engine.Observation, error) {
	s.world.point("committed " + site.Operation)
	return json.Marshal(image{Found: true, Value: s.Value})
}

// Exacting holds increments to their receipts.
func (s signed) Exacting() string {
	if s.Name == "add" {
		return "its outcome could not be told"
	}
	return ""
}

func (s signed) Apply(ctx context.Context, site engine.Site, before engine.Memento) (engine.Observation, error) {
	if site.Receipt == nil {
		return s.step.Apply(ctx, site, before)
	}
	if site.Doubtful {
		return nil, fmt.Errorf("%w: in doubt with a receipt", engine.ErrInvalid)
	}
	bound, wrote := s.step, false
	bound.commit = func(ctx context.Context, what string, effect func()) error {
		taken := false
		wrote = true
		err := s.world.write(ctx, site, what, func() {
			if _, taken = s.world.receipts[site.Receipt.ID]; taken {
				return
			}
			s.world.receipts[site.Receipt.ID] = "applied"
			effect()
		})
		if err == nil && taken {
			return fmt.Errorf("%w: the transaction conflicts", engine.ErrForeign)
		}
		return err
	}
	after, err := bound.Apply(ctx, site, before)
	if err == nil && !wrote { // the receipt alone
		err = bound.commit(ctx, "nothing", func() {})
	}
	return after, err
}

// Probe tells nothing of an increment: others may add as well.
func (s signed) Probe(ctx context.Context, site engine.Site, before engine.Memento) (engine.Finding, error) {
	if s.Name == "add" {
		return engine.Finding{}, fmt.Errorf("%w: an increment cannot be told from its value", engine.ErrUnknownOutcome)
	}
	return s.step.Probe(ctx, site, before)
}

func (s signed) Inverse(before engine.Memento, after engine.Observation) ([]engine.Step, error) {
	inverse, err := s.step.Inverse(before, after)
	for i := range inverse {
		inverse[i] = signed{inverse[i].(step)}
	}
	return inverse, err
}

// signedCodec makes every step commit with a receipt.
type signedCodec struct{ codec }

func (c signedCodec) Encode(s engine.Step) (json.RawMessage, error) {
	if s, ok := s.(signed); ok {
		return c.codec.Encode(s.step)
	}
	return c.codec.Encode(s)
}

func (c signedCodec) Decode(data json.RawMessage) (engine.Step, error) {
	s, err := c.codec.Decode(data)
	if err != nil {
		return nil, err
	}
	return signed{s.(step)}, nil
}

// newSigningEngine makes an engine whose operations commit with receipts.
func newSigningEngine(tb testing.TB, w *world, opts ...engine.Option) *engine.Engine {
	tb.Helper()
	e, err := engine.New(w.store, signedCodec{codec{w}}, append([]engine.Option{
		engine.WithClock(w.clock), engine.WithClassifier(classify), engine.WithQuarantine(quarantine),
		engine.WithReceipts(receipts{world: w}),
	}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// committed counts the receipts that are applied.
func (w *world) committed() int {
	n := 0
	for _, state := range w.receipts {
		if state == "applied" {
			n++
		}
	}
	return n
}

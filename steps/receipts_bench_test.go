package steps_test

import (
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/remote"
)

// withReceipts runs a test on each release that has transactions; every step
// that can commits with a receipt.
func withReceipts(t *testing.T, test func(b *bench)) {
	t.Helper()
	onEveryVersion(t, func(b *bench) {
		if !b.can.Transactions {
			b.t.Skip("this server has no transactions")
		}
		b.openReceipts()
		test(b)
	})
}

// openReceipts opens a journal in the project, for its receipts.
func (b *bench) openReceipts() {
	b.t.Helper()
	store, err := remote.Open(b.t.Context(), b.client, livetest.DatabaseID(b.t))
	if err != nil {
		b.t.Fatalf("open the receipts: %v", err)
	}
	b.receipts = store.Receipts()
}

// exacting reports whether a step cannot be told by a probe.
func (b *bench) exacting(step engine.Step) bool {
	exacting, ok := step.(engine.Exacting)
	return ok && exacting.Exacting() != ""
}

// sign gives a site the receipt that the step commits with, if it does.
func (b *bench) sign(d done, site *engine.Site) {
	b.t.Helper()
	step, ok := d.step.(engine.Receiptable)
	if b.receipts == nil || !ok || !step.Receiptable(d.before) {
		return
	}
	receipt := b.receipt(site.Operation)
	site.Receipt = &receipt
}

// receipt is the next one of an operation.
func (b *bench) receipt(operation string) journal.Receipt {
	b.t.Helper()
	receipt, applied, err := b.receipts.Next(b.t.Context(), "run", operation)
	if err != nil || applied {
		b.t.Fatalf("the receipt of operation %s: applied %t, %v", operation, applied, err)
	}
	return receipt
}

// wantCommitted holds that an operation has been committed with its receipt, or
// has not.
func (b *bench) wantCommitted(operation string, want bool) {
	b.t.Helper()
	_, applied, err := b.receipts.Next(b.t.Context(), "run", operation)
	if err != nil || applied != want {
		b.t.Errorf("the receipt of operation %s is applied: %t (%v), want %t", operation, applied, err, want)
	}
}

// ready captures a step and gives what its attempt gets.
func (b *bench) ready(step engine.Step) (engine.Step, engine.Site, engine.Memento) {
	b.t.Helper()
	d, site := done{step: b.bound(step)}, b.site()
	var err error
	if d.before, err = d.step.Capture(b.t.Context(), site); err != nil {
		b.t.Fatalf("%s: capture: %v", step.Kind(), err)
	}
	if b.sign(d, &site); site.Receipt == nil && b.receipts != nil {
		b.t.Fatalf("%s does not commit with a receipt", step.Kind())
	}
	return d.step, site, d.before
}

// later is somebody else's write, in another millisecond than what was before
// it: servers keep times in milliseconds, and a write in the very one in which a
// change was staged is not told from it.
func later(write func()) func() {
	return func() {
		for since := time.Now(); time.Since(since) < 2*time.Millisecond; {
			runtime.Gosched()
		}
		write()
	}
}

// transactions counts those that the server still keeps, and that nobody has committed.
func (b *bench) transactions() int {
	b.t.Helper()
	sdk := b.client.SDK(b.t.Context())
	answer, err := sdk.Call("GET", "/tablesdb/transactions", map[string]any{"content-type": "application/json"}, map[string]any{})
	if err != nil {
		b.t.Fatal(err)
	}
	var page struct {
		Transactions []struct {
			Status string `json:"status"`
		} `json:"transactions"`
	}
	body, _ := answer.Result.(string)
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		b.t.Fatalf("%v: %q", err, body)
	}
	n := 0
	for _, transaction := range page.Transactions {
		if transaction.Status != appwrite.TransactionCommitted {
			n++
		}
	}
	return n
}

func noGuard() appwrite.Guard { return appwrite.Guard{} }

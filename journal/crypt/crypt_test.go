package crypt_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/crypt"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/journal/sqlite"
)

// secret is in everything that must be sealed. Its @ keeps it out of digests and
// of base64, where a shorter word turns up by chance.
const secret = "ada@example.org"

func TestASealedJournalPassesTheSuite(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	keys := newKeys(t, []string{recipient}, identity)
	journaltest.Run(t, journaltest.Backend{New: func(t *testing.T) journaltest.Opened {
		t.Helper()
		memory := journaltest.NewMemory()
		return journaltest.Opened{
			Store:  wrap(t, memory, keys),
			Reopen: func(t *testing.T) journal.Store { t.Helper(); return wrap(t, memory, keys) },
			Damage: func(_ *testing.T, run string, seq int64, change func([]byte) []byte) {
				memory.Damage(run, seq, change)
			},
			DamageBlobs: func(_ *testing.T, change func(string, []byte) []byte) { memory.DamageBlobs(change) },
		}
	}})
}

func TestNothingThatMayBeUsersDataReachesTheBackend(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	memory := journaltest.NewMemory()
	ref := fill(t, wrap(t, memory, newKeys(t, []string{recipient}, "")))
	for name, data := range memory.Stored() {
		if bytes.Contains(data, []byte(secret)) {
			t.Errorf("%s holds what must be sealed: %.200s", name, data)
		}
	}

	stored, err := memory.Records(t.Context(), "run")
	must(t, err)
	state, err := journal.Fold(stored)
	must(t, err)
	if state.Status != journal.StatusRolledBack || state.Operations[0].Phase != journal.PhaseUndone {
		t.Errorf("the state that can be read is %+v", state)
	}
	if step := string(state.Operations[0].Step); step != `{"collection":"users","database":"shop","id":"u1","kind":"delete_document","sealed":true}` {
		t.Errorf("the step that can be read is %s", step)
	}
	found, err := journal.Verify(t.Context(), memory, "run")
	if err != nil || len(found.Archives) != 1 || found.Archives[0] != ref {
		t.Errorf("verified without an identity: %+v, error %v", found, err)
	}
	if runs, err := memory.Runs(t.Context()); err != nil || runs[0].Migration != "drop_users" || runs[0].Status != journal.StatusRolledBack {
		t.Errorf("runs %+v, error %v", runs, err)
	}

	opened := wrap(t, memory, newKeys(t, nil, identity))
	got, err := opened.Records(t.Context(), "run")
	must(t, err)
	if diff := cmp.Diff(account(t, ref), got); diff != "" {
		t.Errorf("records (-written +opened):\n%s", diff)
	}
	if values := read(t, opened, ref); len(values) != 2 || !strings.Contains(values[1], secret) {
		t.Errorf("the archive holds %q", values)
	}
}

func TestWithoutTheRightIdentityNothingOpensAndTheErrorSaysWhy(t *testing.T) {
	t.Parallel()
	recipient, _ := pair(t)
	_, other := pair(t)
	memory := journaltest.NewMemory()
	ref := fill(t, wrap(t, memory, newKeys(t, []string{recipient}, "")))
	for name, identity := range map[string]string{"no identity is given": "", "for others than the 1 given": other} {
		store := wrap(t, memory, newKeys(t, nil, identity))
		_, err := store.Records(t.Context(), "run")
		named, ok := errors.AsType[*journal.RecordError](err)
		if !errors.Is(err, journal.ErrSealed) || !ok || named.Seq != 1 || !strings.Contains(err.Error(), name) {
			t.Errorf("records: error %v, want ErrSealed: %s", err, name)
		}
		for _, err := range store.Archives().Read(t.Context(), ref) {
			if !errors.Is(err, journal.ErrSealed) {
				t.Errorf("archive: error %v, want ErrSealed", err)
			}
		}
		if err := journal.CheckArchive(t.Context(), store.Archives(), ref); err != nil {
			t.Errorf("the archive cannot be checked: %v", err)
		}
	}
}

func TestARunWithRecipientsOnlyVerifiesAndReadsWhatItSealedItself(t *testing.T) {
	t.Parallel()
	recipient, _ := pair(t)
	hybrid, err := age.GenerateHybridIdentity()
	must(t, err)
	for _, to := range []string{recipient, hybrid.Recipient().String()} {
		store := wrap(t, journaltest.NewMemory(), newKeys(t, []string{to}, ""))
		ref := fill(t, store) // Close has read the archive back
		if _, err := store.Records(t.Context(), "run"); err != nil {
			t.Error(err)
		}
		if values := read(t, store, ref); len(values) != 2 {
			t.Errorf("%d values", len(values))
		}
	}
}

func TestTamperingWithASealedJournalNamesTheRecord(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	keys := newKeys(t, []string{recipient}, identity)
	for name, forge := range map[string]func(t *testing.T, records []journal.Record) []journal.Record{
		"another time, hashes made to fit": func(t *testing.T, records []journal.Record) []journal.Record {
			t.Helper()
			records[1].Time = records[1].Time.Add(time.Hour)
			return rechain(t, records)
		},
		"envelopes swapped, hashes made to fit": func(t *testing.T, records []journal.Record) []journal.Record {
			t.Helper()
			records[1].Body, records[4].Body = swap(t, records[1].Body, records[4].Body)
			return rechain(t, records)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			memory := journaltest.NewMemory()
			fill(t, wrap(t, memory, keys))
			stored, err := memory.Records(t.Context(), "run")
			must(t, err)
			forged := journaltest.NewMemory()
			records := forge(t, stored)
			must(t, forged.Append(t.Context(), records...))
			_, err = wrap(t, forged, keys).Records(t.Context(), "run")
			named, ok := errors.AsType[*journal.RecordError](err)
			if !errors.Is(err, journal.ErrDamaged) || !ok || named.Seq != 2 {
				t.Errorf("error %v, want ErrDamaged of record 2", err)
			}
		})
	}
}

func TestWhatAPlaceholderSaysIsNotBelieved(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	keys := newKeys(t, []string{recipient}, identity)
	memory, forged := journaltest.NewMemory(), journaltest.NewMemory()
	fill(t, wrap(t, memory, keys))
	records, err := memory.Records(t.Context(), "run")
	must(t, err)
	records[1].Body = bytes.Replace(records[1].Body, []byte(`"items":2`), []byte(`"items":3`), 1)
	must(t, forged.Append(t.Context(), rechain(t, records)...))
	got, err := wrap(t, forged, keys).Records(t.Context(), "run")
	if err != nil || !strings.Contains(string(got[1].Body), `"items":2`) {
		t.Errorf("error %v, records %v", err, got)
	}
}

func TestSealingMayBeginAndEndInTheMiddleOfARun(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	sealing, opening := newKeys(t, []string{recipient}, identity), newKeys(t, nil, identity)
	path := filepath.Join(t.TempDir(), "journal.db")
	plain, err := sqlite.Open(t.Context(), path)
	must(t, err)
	t.Cleanup(func() { _ = plain.Close() })
	records := journaltest.Chain(t, "run", 9)
	must(t, plain.Append(t.Context(), records[:3]...))
	must(t, wrap(t, plain, sealing).Append(t.Context(), records[3:6]...))
	must(t, wrap(t, plain, opening).Append(t.Context(), records[6:8]...))
	must(t, wrap(t, plain, sealing).Append(t.Context(), records[8]))
	got, err := wrap(t, plain, opening).Records(t.Context(), "run")
	must(t, err)
	if diff := cmp.Diff(records, got); diff != "" {
		t.Errorf("records (-written +opened):\n%s", diff)
	}
	if err := wrap(t, plain, sealing).Append(t.Context(), records[8]); !errors.Is(err, journal.ErrTail) {
		t.Errorf("error %v, want ErrTail", err)
	}
}

func TestKeysThatCannotBeUsedAreRefusedWithoutBeingShown(t *testing.T) {
	t.Parallel()
	recipient, identity := pair(t)
	hybrid, err := age.GenerateHybridIdentity()
	must(t, err)
	for name, c := range map[string]struct {
		recipients []string
		identity   string
		want       error
	}{
		"no recipient":             {[]string{"age1nonsense"}, "", crypt.ErrRecipient},
		"a secret as recipient":    {[]string{identity}, "", crypt.ErrRecipient},
		"no identity":              {nil, strings.ToLower(identity)[:40], crypt.ErrIdentity},
		"a garbled identity":       {nil, identity[:30] + "B" + identity[31:], crypt.ErrIdentity},
		"kinds that do not go":     {[]string{recipient, hybrid.Recipient().String()}, "", crypt.ErrRecipient},
		"an identity with garbage": {nil, identity + "\nAGE-SECRET-KEY-1X", crypt.ErrIdentity},
	} {
		_, err := crypt.NewKeys(c.recipients, c.identity)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
		if err != nil && (strings.Contains(strings.ToUpper(err.Error()), identity[20:30])) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

// fill writes a run that destroyed a document and was undone, all its data secret.
func fill(t *testing.T, store journal.Store) journal.ArchiveRef {
	t.Helper()
	w, err := store.Archives().Create(t.Context(), "run", "1", "documents")
	must(t, err)
	must(t, w.Write(t.Context(), json.RawMessage(`{"$id":"u0"}`)))
	must(t, w.Write(t.Context(), json.RawMessage(`{"$id":"u1","email":"`+secret+`"}`)))
	ref, err := w.Close(t.Context())
	must(t, err)
	for _, r := range account(t, ref) {
		must(t, store.Append(t.Context(), r))
	}
	return ref
}

// account is a run whose every field holds the secret, as far as it may.
func account(t *testing.T, ref journal.ArchiveRef) []journal.Record {
	t.Helper()
	raw := func(format string, args ...any) json.RawMessage {
		canonical, err := journal.Canonical(json.RawMessage(fmt.Sprintf(format, args...)))
		must(t, err)
		return canonical
	}
	pointer, err := json.Marshal(ref)
	must(t, err)
	step := raw(`{"kind":"delete_document","database":"shop","collection":"users","id":"u1","data":{"email":%q}}`, secret)
	memento := raw(`{"email":%q,"kind":%q,"archive":%s}`, secret, secret, pointer)
	difference := []journal.Difference{{Operation: "1", Target: "shop/users/u1", Found: "before", Detail: "email is " + secret}}
	var records []journal.Record
	tail := journal.Tail{}
	for i, entry := range []struct {
		typ       journal.Type
		operation string
		body      any
	}{
		{journal.RunStarted, "", journal.Started{Migration: "drop_users", Operations: []journal.Planned{{ID: "1", Step: step}}}},
		{journal.Intent, "1", journal.Intended{Before: memento}},
		{journal.Applied, "1", journal.Observed{After: memento, Notice: "found " + secret}},
		{journal.UndoIntent, "1/undo/1", journal.UndoIntended{
			Steps: []json.RawMessage{step}, Before: memento, Conflict: "is " + secret, Policy: "overwrite", Cause: "refused " + secret,
		}},
		{journal.Undone, "1/undo/1", journal.UndoObserved{After: memento, Conflict: secret, Reason: secret}},
		{journal.RunFinished, "", journal.Finished{
			Status: journal.StatusRolledBack, Reason: secret, UndoReason: secret,
			Proof: &journal.Proof{Checked: 1, Differences: difference, Conflicts: difference, Unproven: difference},
			Left:  []journal.Leftover{{Operation: "1", Kind: "delete_document", Target: "shop/users/u1", Detail: secret}},
		}},
	} {
		r, err := journal.NewRecord(tail, "run", time.Date(2026, 11, 22, 1, 2, i, 0, time.UTC), entry.typ, entry.operation, entry.body)
		must(t, err)
		records, tail = append(records, r), r.Next()
	}
	return records
}

// rechain gives records the hashes that fit what they say.
func rechain(t *testing.T, records []journal.Record) []journal.Record {
	t.Helper()
	tail := journal.Tail{}
	for i, r := range records {
		again, err := journal.NewRecord(tail, r.Run, r.Time, r.Type, r.Operation, r.Body)
		must(t, err)
		records[i], tail = again, again.Next()
	}
	return records
}

// swap exchanges the envelopes of two bodies.
func swap(t *testing.T, a, b json.RawMessage) (json.RawMessage, json.RawMessage) {
	t.Helper()
	var one, two map[string]any
	must(t, json.Unmarshal(a, &one))
	must(t, json.Unmarshal(b, &two))
	one["sealed"], two["sealed"] = two["sealed"], one["sealed"]
	x, err := journal.Canonical(one)
	must(t, err)
	y, err := journal.Canonical(two)
	must(t, err)
	return x, y
}

func read(t *testing.T, store journal.Store, ref journal.ArchiveRef) []string {
	t.Helper()
	var values []string
	for value, err := range store.Archives().Read(context.Background(), ref) {
		must(t, err)
		values = append(values, string(value))
	}
	return values
}

func pair(t *testing.T) (recipient, identity string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	must(t, err)
	return id.Recipient().String(), id.String()
}

func newKeys(t *testing.T, recipients []string, identity string) *crypt.Keys {
	t.Helper()
	keys, err := crypt.NewKeys(recipients, identity)
	must(t, err)
	return keys
}

func wrap(t *testing.T, store journal.Store, keys *crypt.Keys) *crypt.Store {
	t.Helper()
	s, err := crypt.New(store, keys)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

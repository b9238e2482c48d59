// Package memory keeps a journal in memory, for runs that nobody has to resume:
// those on a copy of a project, and those of tests.
package memory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/backstep-dev/backstep/journal"
)

// Store is a journal in memory: it keeps the encoded records, so that it passes
// the same suite as the durable backends.
type Store struct {
	mu     sync.Mutex
	runs   []string
	lines  map[string][][]byte
	blobs  map[string][]byte
	closed bool
}

var (
	_ journal.Store = (*Store)(nil)
	_ journal.Blobs = (*Store)(nil)
)

// New makes an empty journal.
func New() *Store {
	return &Store{lines: make(map[string][][]byte), blobs: make(map[string][]byte)}
}

// Append implements journal.Store.
func (m *Store) Append(ctx context.Context, records ...journal.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return err
	}
	added := make(map[string][][]byte)
	for _, r := range records {
		lines := slices.Concat(m.lines[r.Run], added[r.Run])
		var tail journal.Tail
		if len(lines) > 0 {
			last, err := journal.Decode(lines[len(lines)-1])
			if err != nil {
				return &journal.RecordError{Run: r.Run, Seq: int64(len(lines)), Err: err}
			}
			tail = last.Next()
		}
		if err := journal.CheckAppend(tail, r); err != nil {
			return err
		}
		line, err := r.Encode()
		if err != nil {
			return err
		}
		added[r.Run] = append(added[r.Run], line)
	}
	for run, lines := range added {
		if m.lines[run] == nil {
			m.runs = append(m.runs, run)
		}
		m.lines[run] = append(m.lines[run], lines...)
	}
	return nil
}

// Records implements journal.Store.
func (m *Store) Records(ctx context.Context, run string) ([]journal.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return nil, err
	}
	lines, ok := m.lines[run]
	if !ok {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	records := make([]journal.Record, 0, len(lines))
	for i, line := range lines {
		r, err := journal.Decode(line)
		if err != nil {
			return nil, &journal.RecordError{Run: run, Seq: int64(i + 1), Err: err}
		}
		records = append(records, r)
	}
	if err := journal.CheckChain(run, records); err != nil {
		return nil, err
	}
	return records, nil
}

// Runs implements journal.Store.
func (m *Store) Runs(ctx context.Context) ([]journal.Summary, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return nil, err
	}
	var summaries []journal.Summary
	for _, run := range m.runs {
		lines := m.lines[run]
		first, firstErr := journal.Decode(lines[0])
		last, lastErr := journal.Decode(lines[len(lines)-1])
		if err := errors.Join(firstErr, lastErr); err != nil {
			summaries = append(summaries, journal.Summary{Run: run, Status: journal.StatusOpen, Err: err})
			continue
		}
		summaries = append(summaries, journal.Summarize(first, last))
	}
	return summaries, nil
}

// Archives implements journal.Store.
func (m *Store) Archives() journal.Archives { return journal.NewArchives(m, 0) }

// Close implements journal.Store.
func (m *Store) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Put implements journal.Blobs.
func (m *Store) Put(ctx context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return err
	}
	if _, taken := m.blobs[name]; taken {
		return fmt.Errorf("%w: the name %s is taken", journal.ErrInvalid, name)
	}
	m.blobs[name] = bytes.Clone(data)
	return nil
}

// Get implements journal.Blobs.
func (m *Store) Get(ctx context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return nil, err
	}
	data, ok := m.blobs[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoBlob, name)
	}
	return bytes.Clone(data), nil
}

// Stored gives a copy of everything that is kept, by the name of a run and the
// record's place in it, or of a blob.
func (m *Store) Stored() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string][]byte)
	for run, lines := range m.lines {
		for i, line := range lines {
			all[fmt.Sprintf("%s#%d", run, i+1)] = bytes.Clone(line)
		}
	}
	for name, data := range m.blobs {
		all[name] = bytes.Clone(data)
	}
	return all
}

// Damage replaces the stored bytes of a record by what change makes of them.
func (m *Store) Damage(run string, seq int64, change func([]byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines[run][seq-1] = change(bytes.Clone(m.lines[run][seq-1]))
}

// DamageBlobs replaces the bytes of every stored blob by what change makes of them.
func (m *Store) DamageBlobs(change func(name string, data []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, data := range m.blobs {
		m.blobs[name] = change(name, bytes.Clone(data))
	}
}

func (m *Store) ready(ctx context.Context) error {
	if m.closed {
		return journal.ErrClosed
	}
	return ctx.Err()
}

package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/journal"
)

var _ journal.Pruner = (*Store)(nil)

// Prune implements journal.Pruner.
func (m *Store) Prune(ctx context.Context, run string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ready(ctx); err != nil {
		return err
	}
	if m.lines[run] == nil {
		return fmt.Errorf("%w: %s", journal.ErrNoRun, run)
	}
	delete(m.lines, run)
	m.runs = slices.DeleteFunc(m.runs, func(name string) bool { return name == run })
	maps.DeleteFunc(m.blobs, func(name string, _ []byte) bool {
		owner, _, _ := strings.Cut(name, "/")
		return owner == run
	})
	return nil
}

// Pruning lists nothing: a removal happens at once.
func (m *Store) Pruning(context.Context) ([]string, error) { return nil, nil }

package journal

import (
	"context"
	"errors"
)

// ErrNoBlob says that nothing is stored under the name.
var ErrNoBlob = errors.New("nothing stored under this name")

// Blobs stores bytes under names that are never used twice. Any backend that
// has it has archives, by NewArchives.
type Blobs interface {
	// Put makes data durable under name before it returns nil. A name that is
	// taken is an error, whatever it holds.
	Put(ctx context.Context, name string, data []byte) error
	// Get gives what Put stored. The error wraps ErrNoBlob when there is none.
	Get(ctx context.Context, name string) ([]byte, error)
}

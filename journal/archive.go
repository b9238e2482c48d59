// Package journal holds the durable, append-only account of runs: records chained
// by hash, the pure fold from records to a state, and the archives that set data
// aside. Backends live in its subfolders and pass the suite in journaltest.
package journal

import (
	"context"
	"encoding/json"
	"iter"
)

// ArchiveRef points at an archive from a journal record. The zero value means
// that nothing was set aside.
type ArchiveRef struct {
	Name   string `json:"name"`   // unique for ever: "<run>/<operation>/<label>-<nonce>"
	Items  int64  `json:"items"`  // how many JSON values it holds
	Bytes  int64  `json:"bytes"`  // their size before compression
	SHA256 string `json:"sha256"` // of the manifest, hexadecimal
}

// Archives sets data aside and gives it back: JSON values in zstd-compressed
// NDJSON chunks, each with its SHA-256, and a manifest that lists them.
type Archives interface {
	// Create starts an archive. Nothing refers to it until Close has returned,
	// so an abandoned one is harmless.
	Create(ctx context.Context, run, operation, label string) (ArchiveWriter, error)
	// Read yields the archive's values in the order written. Every chunk is
	// checked against its sum first; damage is reported as ErrDamaged and
	// ends the walk.
	Read(ctx context.Context, ref ArchiveRef) iter.Seq2[json.RawMessage, error]
}

// ArchiveWriter takes the values of one archive.
type ArchiveWriter interface {
	Write(ctx context.Context, value json.RawMessage) error
	// Close writes the manifest, reads everything back, compares it and
	// returns the reference. The data is durable then.
	Close(ctx context.Context) (ArchiveRef, error)
}

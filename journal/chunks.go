package journal

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
)

// The bounds of an archive's chunks.
const (
	// DefaultChunk is how many bytes of NDJSON a chunk holds before it is
	// compressed; a single larger value gets a chunk of its own.
	DefaultChunk = 1 << 20
	// maxChunk bounds what a chunk may decompress to, so that a damaged one
	// cannot exhaust memory.
	maxChunk = 1 << 30
)

// manifest lists an archive's chunks; its own sum is in the ArchiveRef.
type manifest struct {
	V      int     `json:"v"`
	Name   string  `json:"name"`
	Items  int64   `json:"items"`
	Bytes  int64   `json:"bytes"`
	Chunks []chunk `json:"chunks"`
	Sealed bool    `json:"sealed,omitempty"` // whether the chunks are encrypted
}

type chunk struct {
	Name   string `json:"name"`
	Items  int64  `json:"items"`
	Bytes  int64  `json:"bytes"`  // before compression
	SHA256 string `json:"sha256"` // of the bytes as stored: compressed, then sealed
}

type archives struct {
	blobs   Blobs
	limit   int
	sealer  Sealer // nil where nothing is sealed
	sealing bool   // whether new archives are
}

// NewArchives keeps archives in blobs, in chunks of about chunk bytes before
// compression; 0 means DefaultChunk.
func NewArchives(blobs Blobs, chunk int) Archives {
	if chunk <= 0 {
		chunk = DefaultChunk
	}
	return &archives{blobs: blobs, limit: chunk}
}

func (a *archives) Create(_ context.Context, run, operation, label string) (ArchiveWriter, error) {
	nonce, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("name an archive: %w", err)
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("start an archive: %w", err)
	}
	name := run + "/" + operation + "/" + label + "-" + nonce.String()
	m := manifest{V: 1, Name: name, Chunks: []chunk{}, Sealed: a.sealing}
	return &archiveWriter{archives: a, encoder: encoder, manifest: m, content: sha256.New()}, nil
}

func (a *archives) Read(ctx context.Context, ref ArchiveRef) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		if ref == (ArchiveRef{}) {
			return
		}
		if err := a.walk(ctx, ref, yield); err != nil && !errors.Is(err, errStopped) {
			yield(nil, fmt.Errorf("archive %s: %w", ref.Name, err))
		}
	}
}

// errStopped ends a walk that its reader has left.
var errStopped = errors.New("stopped")

func (a *archives) walk(ctx context.Context, ref ArchiveRef, yield func(json.RawMessage, error) bool) error {
	m, err := a.manifest(ctx, ref)
	if err != nil {
		return err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		return fmt.Errorf("start reading: %w", err)
	}
	defer decoder.Close()
	for _, c := range m.Chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		lines, err := a.chunk(ctx, decoder, c, m.Sealed)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if !yield(line, nil) {
				return errStopped
			}
		}
	}
	return nil
}

func (a *archives) manifest(ctx context.Context, ref ArchiveRef) (manifest, error) {
	data, err := a.blob(ctx, ref.Name+"/manifest", ref.SHA256)
	if err != nil {
		return manifest{}, err
	}
	return parseManifest(ref, data)
}

// chunk gives the values of one chunk once it has been checked as a whole.
func (a *archives) chunk(ctx context.Context, decoder *zstd.Decoder, c chunk, sealed bool) ([]json.RawMessage, error) {
	data, err := a.blob(ctx, c.Name, c.SHA256)
	if err != nil {
		return nil, err
	}
	plain, err := a.expand(decoder, c, sealed, data)
	if err != nil {
		return nil, err
	}
	lines := make([]json.RawMessage, 0, c.Items)
	reader := bufio.NewReader(bytes.NewReader(plain))
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil || !json.Valid(line) {
			return nil, fmt.Errorf("%w: chunk %s: line %d", ErrDamaged, c.Name, len(lines)+1)
		}
		lines = append(lines, json.RawMessage(bytes.TrimSuffix(line, []byte("\n"))))
	}
	if int64(len(lines)) != c.Items {
		return nil, fmt.Errorf("%w: chunk %s holds %d values instead of %d", ErrDamaged, c.Name, len(lines), c.Items)
	}
	return lines, nil
}

// blob gets a blob and holds it against its sum.
func (a *archives) blob(ctx context.Context, name, sum string) ([]byte, error) {
	data, err := a.blobs.Get(ctx, name)
	if errors.Is(err, ErrNoBlob) {
		return nil, fmt.Errorf("%w: %s is missing", ErrDamaged, name)
	}
	if err != nil {
		return nil, err
	}
	if hexSum(data) != sum {
		return nil, fmt.Errorf("%w: %s does not match its sum", ErrDamaged, name)
	}
	return data, nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

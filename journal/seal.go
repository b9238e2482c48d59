package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// ErrSealed says that what is asked for is encrypted, and nothing at hand opens it.
var ErrSealed = errors.New("sealed: it cannot be read without an identity that opens it")

// Envelope is in the body of a record whose data is sealed. The parts that may
// hold users' data have been replaced by placeholders then, and Sealed has what
// stood there, encrypted. The rest of the body can be read by anybody, so that
// the chain, the fold and the archives can be checked without opening it.
type Envelope struct {
	Sealed []byte `json:"sealed,omitempty"`
}

// Sealer encrypts the chunks of archives before they are summed and stored.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	// Open gives back what was sealed. The error wraps ErrSealed when nothing
	// at hand opens it, and ErrDamaged when it is not what was sealed.
	Open(sealed []byte) ([]byte, error)
}

// SealArchives gives the same archives with the chunks of sealed ones opened
// and, if fresh is set, those of new ones sealed. Archives that are not sealed
// are read as ever. It takes archives made by NewArchives, as every backend's are.
func SealArchives(of Archives, sealer Sealer, fresh bool) (Archives, error) {
	plain, ok := of.(*archives)
	if !ok {
		return nil, fmt.Errorf("%w: archives that cannot be sealed", ErrInvalid)
	}
	return &archives{blobs: plain.blobs, limit: plain.limit, sealer: sealer, sealing: fresh}, nil
}

// CheckArchive verifies that an archive is whole: its manifest, the sum of
// every chunk and, where they can be opened, every value. The error wraps
// ErrDamaged when it is not.
func CheckArchive(ctx context.Context, of Archives, ref ArchiveRef) error {
	if own, ok := of.(*archives); ok {
		return own.verify(ctx, ref)
	}
	for _, err := range of.Read(ctx, ref) {
		if err != nil {
			return err
		}
	}
	return nil
}

// verify walks an archive; of a sealed one that cannot be opened it holds the
// chunks against their sums, which are over what is stored.
func (a *archives) verify(ctx context.Context, ref ArchiveRef) error {
	err := a.walk(ctx, ref, func(json.RawMessage, error) bool { return true })
	if errors.Is(err, ErrSealed) {
		err = a.checkSums(ctx, ref)
	}
	if err != nil {
		return fmt.Errorf("archive %s: %w", ref.Name, err)
	}
	return nil
}

func (a *archives) checkSums(ctx context.Context, ref ArchiveRef) error {
	m, err := a.manifest(ctx, ref)
	if err != nil {
		return err
	}
	for _, c := range m.Chunks {
		if _, err := a.blob(ctx, c.Name, c.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// expand turns a stored chunk into its lines.
func (a *archives) expand(decoder *zstd.Decoder, c chunk, sealed bool, data []byte) ([]byte, error) {
	if sealed {
		if a.sealer == nil {
			return nil, fmt.Errorf("%w: chunk %s", ErrSealed, c.Name)
		}
		var err error
		if data, err = a.sealer.Open(data); err != nil {
			return nil, fmt.Errorf("chunk %s: %w", c.Name, err)
		}
	}
	plain, err := decoder.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: chunk %s: %w", ErrDamaged, c.Name, err)
	}
	if int64(len(plain)) != c.Bytes {
		return nil, fmt.Errorf("%w: chunk %s holds %d bytes instead of %d", ErrDamaged, c.Name, len(plain), c.Bytes)
	}
	return plain, nil
}

package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

const (
	// chunkBytes is how much of a blob one document holds, before base64. A
	// larger blob has several.
	chunkBytes = 2 << 20
	// maxName is how many characters the name of a blob may have.
	maxName = 1024
)

// Put stores a blob under a name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.put(ctx, runOf(name), name, data); err != nil {
		return fmt.Errorf("store %s: %w", name, typed(err))
	}
	return nil
}

// Get gives what Put has stored.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	data, err := s.get(ctx, runOf(name), name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, typed(err))
	}
	return data, nil
}

// runOf gives the run that an archive's blob belongs to.
func runOf(name string) string {
	run, _, _ := strings.Cut(name, "/")
	return run
}

// piece is a part of a blob as it is stored: one document.
type piece struct {
	run, name   string
	part, parts int
	data        []byte
}

func (p piece) id() string { return keyOf(p.name) + "-" + strconv.Itoa(p.part) }

func (p piece) document() appwrite.Document {
	return appwrite.Document{ID: p.id(), Permissions: []string{}, Data: map[string]any{
		"key": keyOf(p.run), "name": p.name, "part": p.part, "parts": p.parts, "data": base64.StdEncoding.EncodeToString(p.data),
	}}
}

// put stores a blob in as many documents as it takes. The first of them, which
// says how many there are, comes last: until then nothing is there.
func (s *Store) put(ctx context.Context, run, name string, data []byte) error {
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName {
		return fmt.Errorf("%w: a name of %d characters, at most %d are possible", journal.ErrInvalid, utf8.RuneCountInString(name), maxName)
	}
	pieces := []piece{}
	for data := range slices.Chunk(data, chunkBytes) {
		pieces = append(pieces, piece{run: run, name: name, part: len(pieces), data: data})
	}
	if len(pieces) == 0 {
		pieces = append(pieces, piece{run: run, name: name})
	}
	for _, p := range slices.Backward(pieces) {
		p.parts = len(pieces)
		if err := s.putPiece(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putPiece(ctx context.Context, p piece) error {
	doubtful := isSpill(p.name) // an earlier attempt may have made it, or a process before
	return s.patience.do(ctx, func(ctx context.Context) error {
		_, err := s.client.CreateDocument(ctx, s.database, chunksCollection, p.document())
		if !errors.Is(err, appwrite.ErrExists) {
			doubtful = doubtful || appwrite.Classify(err) == appwrite.Ambiguous
			return err
		}
		there, err := s.client.FindDocument(ctx, s.database, chunksCollection, p.id())
		if err != nil {
			return err
		}
		found, err := pieceOf(p, there)
		if err != nil || !doubtful || found.parts != p.parts || !bytes.Equal(found.data, p.data) {
			return fmt.Errorf("%w: the name %s is taken", journal.ErrInvalid, p.name)
		}
		return nil
	})
}

// get reads a blob. The error wraps journal.ErrNoBlob when there is none.
func (s *Store) get(ctx context.Context, run, name string) ([]byte, error) {
	head, err := s.getPiece(ctx, piece{run: run, name: name})
	if errors.Is(err, appwrite.ErrNotFound) && !errors.Is(err, appwrite.ErrContainerNotFound) {
		return nil, fmt.Errorf("%w: %s", journal.ErrNoBlob, name)
	}
	if err != nil {
		return nil, err
	}
	data := head.data
	for part := 1; part < head.parts; part++ {
		p, err := s.getPiece(ctx, piece{run: run, name: name, part: part})
		if errors.Is(err, appwrite.ErrNotFound) && !errors.Is(err, appwrite.ErrContainerNotFound) || err == nil && p.parts != head.parts {
			return nil, fmt.Errorf("%w: part %d of %s is missing", journal.ErrDamaged, part, name)
		}
		if err != nil {
			return nil, err
		}
		data = append(data, p.data...)
	}
	return data, nil
}

func (s *Store) getPiece(ctx context.Context, wanted piece) (found piece, err error) {
	var doc appwrite.Document
	err = s.patience.do(ctx, func(ctx context.Context) (err error) {
		doc, err = s.client.FindDocument(ctx, s.database, chunksCollection, wanted.id())
		return err
	})
	if err != nil {
		return piece{}, err
	}
	return pieceOf(wanted, doc)
}

// pieceOf reads a document and holds it against the piece that is wanted.
func pieceOf(wanted piece, doc appwrite.Document) (piece, error) {
	found := wanted
	found.parts = int(numberIn(doc, "parts"))
	var err error
	found.data, err = base64.StdEncoding.Strict().DecodeString(textIn(doc, "data"))
	if err != nil || textIn(doc, "name") != wanted.name || textIn(doc, "key") != keyOf(wanted.run) ||
		numberIn(doc, "part") != int64(wanted.part) || found.parts < 1 {
		return piece{}, fmt.Errorf("%w: document %s is not part %d of %s", journal.ErrDamaged, doc.ID, wanted.part, wanted.name)
	}
	return found, nil
}

package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// entry is what one append stores: one document with its records. So an append
// is atomic on every server, however many records it has, and its document's
// id, which ends in the number of its first record, can be made only once.
type entry struct {
	run         string
	first, last int64
	edge        string
	text        string // the records, one a line, or a spill
}

// The edges, by which the ends of all runs are found in one list.
const (
	edgeFirst  = "first"  // begins with run_started
	edgeFinish = "finish" // ends with run_finished
	edgeWhole  = "whole"  // both
	edgePruned = "pruned" // no records: the run is being removed
)

// inlineBytes is how large the records of one document are at most, so that a
// page of documents stays small. Larger ones are spilled into chunks.
const inlineBytes = 256 << 10

// spill stands for records that are kept as chunks.
type spill struct {
	Bytes   int    `json:"bytes"`
	Spilled string `json:"spilled"` // SHA-256 of the records, hexadecimal
}

const spillPrefix = `{"bytes":` // as no record begins

// entryOf makes the entry of records, which follow each other. Large ones are
// not spilled yet.
func entryOf(records []journal.Record) (entry, error) {
	first, last := records[0], records[len(records)-1]
	lines := make([][]byte, 0, len(records))
	for _, r := range records {
		line, err := r.Encode()
		if err != nil {
			return entry{}, err
		}
		lines = append(lines, line)
	}
	return entry{
		run: first.Run, first: first.Seq, last: last.Seq, edge: edgeOf(first, last), text: string(bytes.Join(lines, []byte("\n"))),
	}, nil
}

func edgeOf(first, last journal.Record) string {
	begins, ends := first.Type == journal.RunStarted, last.Type == journal.RunFinished
	switch {
	case begins && ends:
		return edgeWhole
	case begins:
		return edgeFirst
	case ends:
		return edgeFinish
	default:
		return ""
	}
}

// entryID is the id of the document whose first record is number seq of run.
func entryID(run string, seq int64) string { return keyOf(run) + "-" + strconv.FormatInt(seq, 10) }

func (e entry) id() string { return entryID(e.run, e.first) }

// document gives the entry as it is stored. Nobody but API keys may read it.
func (e entry) document() appwrite.Document {
	data := map[string]any{
		"key": keyOf(e.run), "run": e.run, "seq": e.first, "last": e.last, "records": e.text,
	}
	if e.edge != "" {
		data["edge"] = e.edge
	}
	return appwrite.Document{ID: e.id(), Permissions: []string{}, Data: data}
}

// equals says whether a stored document is this entry.
func (e entry) equals(doc appwrite.Document) bool {
	return e.checkColumns(doc) == nil && textIn(doc, "records") == e.text
}

// checkColumns compares what a document says beside its records.
func (e entry) checkColumns(doc appwrite.Document) error {
	wanted := e.document()
	if doc.ID != wanted.ID {
		return fmt.Errorf("%w: document %s holds what belongs into %s", journal.ErrDamaged, doc.ID, wanted.ID)
	}
	for _, column := range []string{"key", "run", "edge"} {
		if want, _ := wanted.Data[column].(string); textIn(doc, column) != want {
			return fmt.Errorf("%w: its document says %s %q instead of %q", journal.ErrDamaged, column, textIn(doc, column), want)
		}
	}
	if numberIn(doc, "seq") != e.first || numberIn(doc, "last") != e.last {
		return fmt.Errorf("%w: its document says it holds records %d to %d", journal.ErrDamaged, numberIn(doc, "seq"), numberIn(doc, "last"))
	}
	return nil
}

// textIn gives a text of a document, "" where there is none.
func textIn(doc appwrite.Document, column string) string {
	s, _ := doc.Data[column].(string)
	return s
}

// numberIn gives a number of a document, -1 where there is none.
func numberIn(doc appwrite.Document, column string) int64 {
	n, _ := doc.Data[column].(json.Number)
	v, err := n.Int64()
	if err != nil {
		return -1
	}
	return v
}

// spilled moves the records of a large entry into chunks. They are there before
// the document that points at them.
func (s *Store) spilled(ctx context.Context, e entry) (entry, error) {
	if len(e.text) <= inlineBytes {
		return e, nil
	}
	sum := sha256.Sum256([]byte(e.text))
	pointer := spill{Spilled: hex.EncodeToString(sum[:]), Bytes: len(e.text)}
	if err := s.put(ctx, e.run, spillName(e.run, e.first, pointer), []byte(e.text)); err != nil {
		return e, err
	}
	text, err := journal.Canonical(pointer)
	e.text = string(text)
	return e, err
}

// spillName is the name of spilled records. No archive has one that begins so.
// What two processes spill for the same place has two names.
func spillName(run string, seq int64, p spill) string {
	return spillFolder + entryID(run, seq) + "/" + p.Spilled
}

const spillFolder = "/records/"

func isSpill(name string) bool { return strings.HasPrefix(name, spillFolder) }

// textOf gives the records of a document as they were before they were spilled.
func (s *Store) textOf(ctx context.Context, run string, seq int64, doc appwrite.Document) (string, error) {
	text := textIn(doc, "records")
	if !strings.HasPrefix(text, spillPrefix) {
		return text, nil
	}
	var p spill
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return "", fmt.Errorf("%w: %w", journal.ErrDamaged, err)
	}
	if again, err := journal.Canonical(p); err != nil || string(again) != text {
		return "", fmt.Errorf("%w: not a pointer to records", journal.ErrDamaged)
	}
	data, err := s.get(ctx, run, spillName(run, seq, p))
	if errors.Is(err, journal.ErrNoBlob) {
		return "", fmt.Errorf("%w: %w", journal.ErrDamaged, err)
	}
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.Spilled || len(data) != p.Bytes {
		return "", fmt.Errorf("%w: spilled records do not match their sum", journal.ErrDamaged)
	}
	return string(data), nil
}

// decode reads the records of the document that begins with record seq of run:
// each strictly, and all it says beside them held against them. Whether they
// follow what is before is for the caller to check.
func (s *Store) decode(ctx context.Context, run string, seq int64, doc appwrite.Document) ([]journal.Record, error) {
	text, err := s.textOf(ctx, run, seq, doc)
	if err != nil {
		return nil, named(run, seq, err)
	}
	var records []journal.Record
	for line := range strings.SplitSeq(text, "\n") {
		at := seq + int64(len(records))
		r, err := journal.Decode([]byte(line))
		if err == nil && (r.Run != run || r.Seq != at) {
			err = fmt.Errorf("%w: it is %s", journal.ErrDamaged, r.ID())
		}
		if err != nil {
			return nil, named(run, at, err)
		}
		records = append(records, r)
	}
	last := records[len(records)-1]
	e := entry{run: run, first: seq, last: last.Seq, edge: edgeOf(records[0], last)}
	if err := e.checkColumns(doc); err != nil {
		return nil, named(run, seq, err)
	}
	return records, nil
}

// named names the record that cannot be trusted; other errors stay as they are.
func named(run string, seq int64, err error) error {
	if errors.Is(err, journal.ErrDamaged) || errors.Is(err, journal.ErrVersion) {
		return &journal.RecordError{Run: run, Seq: seq, Err: err}
	}
	return err
}

// checkRun refuses ids of runs that no document can hold, and those with a
// slash, which ends the run in the names of archives.
func checkRun(run string) error {
	if run == "" || !utf8.ValidString(run) || utf8.RuneCountInString(run) > maxRun || strings.Contains(run, "/") {
		return fmt.Errorf("%w: the id of a run has 1 to %d characters and no slash, not %q", journal.ErrInvalid, maxRun, run)
	}
	return nil
}

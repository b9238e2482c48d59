package journal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Import reads what Export has written into a journal, run by run. A run is
// appended as a whole, after its records and archives have been verified and the
// archives are there; until then nothing of it can be seen. Runs that the
// journal has already are left as they are, archives that they lack are added,
// and a run of which it has an earlier part gets the rest. The error wraps
// ErrConflict when the journal has another run or archive of that name,
// ErrDamaged when the export is not as it was written, also when it is cut off,
// and ErrVersion when a newer release wrote it. What was imported until then
// stays, and is given next to the error.
func Import(ctx context.Context, store Store, in io.Reader) ([]Transferred, error) {
	own, err := stored(store)
	if err != nil {
		return nil, err
	}
	r := &importer{store: store, blobs: own.blobs, in: bufio.NewReaderSize(in, 64<<10)}
	if err := r.head(); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	var done []Transferred
	for {
		one, more, err := r.run(ctx, len(done))
		if err != nil {
			return done, fmt.Errorf("import, line %d: %w", r.lines, err)
		}
		if !more {
			return done, nil
		}
		done = append(done, one)
	}
}

// importer reads the lines of an export.
type importer struct {
	store Store
	blobs Blobs
	in    *bufio.Reader
	lines int
}

// line gives the next line without its end.
func (r *importer) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) && len(line) <= maxTransferLine {
			continue
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, fmt.Errorf("%w: the export is cut off", ErrDamaged)
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrDamaged, maxTransferLine)
		case err != nil:
			return nil, err
		}
		r.lines++
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// next reads the next line into exactly the fields of into.
func (r *importer) next(into any) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	return decodeLine(line, into)
}

func (r *importer) head() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	var head transferHead
	if err := decodeStrict(line, &head); err != nil || head.Export != transferName || head.V < 1 {
		return fmt.Errorf("%w: this is no export of a journal", ErrDamaged)
	}
	if head.V > transferVersion {
		return fmt.Errorf("%w: export version %d, this release knows %d", ErrVersion, head.V, transferVersion)
	}
	return decodeLine(line, &head)
}

// run reads one section; more is false at the end of the export.
func (r *importer) run(ctx context.Context, before int) (done Transferred, more bool, err error) {
	line, err := r.line()
	if err != nil {
		return done, false, err
	}
	var foot transferFoot
	if decodeLine(line, &foot) == nil {
		return done, false, r.foot(foot, before)
	}
	var head transferRun
	if err := decodeLine(line, &head); err != nil {
		return done, false, err
	}
	records, err := r.records(head)
	if err != nil {
		return done, false, err
	}
	refs := refsOf(records)
	if head.Archives != len(refs) {
		return done, false, fmt.Errorf("%w: %d archives are announced, the records point at %d", ErrDamaged, head.Archives, len(refs))
	}
	done = Transferred{Run: head.Run, Records: len(records), Archives: len(refs)}
	rest, err := r.compare(ctx, head.Run, records)
	if err != nil {
		return done, false, err
	}
	for _, ref := range refs {
		n, err := r.archive(ctx, ref)
		if err != nil {
			return done, false, err
		}
		done.Bytes += n
	}
	if len(rest) > 0 {
		if err := r.store.Append(ctx, rest...); err != nil {
			return done, false, fmt.Errorf("run %s: %w", head.Run, err)
		}
	}
	done.Added = len(rest)
	return done, true, nil
}

// records reads a section's records and verifies them.
func (r *importer) records(head transferRun) ([]Record, error) {
	var records []Record
	for range head.Records {
		var line transferRecord
		if err := r.next(&line); err != nil {
			return nil, err
		}
		record, err := Decode(line.Record)
		if err != nil {
			return nil, &RecordError{Run: head.Run, Seq: int64(len(records) + 1), Err: err}
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%w: run %s has no records", ErrDamaged, head.Run)
	}
	if err := CheckChain(head.Run, records); err != nil {
		return nil, err
	}
	if _, err := Fold(records); err != nil {
		return nil, err
	}
	return records, nil
}

// compare gives the records that the journal does not have yet.
func (r *importer) compare(ctx context.Context, run string, records []Record) ([]Record, error) {
	have, err := r.store.Records(ctx, run)
	if errors.Is(err, ErrNoRun) {
		return records, nil
	}
	if err != nil {
		return nil, err
	}
	common := min(len(have), len(records))
	same := func(a, b Record) bool { return a.Hash == b.Hash }
	if !slices.EqualFunc(have[:common], records[:common], same) {
		return nil, fmt.Errorf("%w: run %s is there with other records", ErrConflict, run)
	}
	return records[common:], nil
}

// archive reads an archive's manifest and chunks, each held against its sum
// before it is stored. The manifest is stored last, as where it was made.
func (r *importer) archive(ctx context.Context, ref ArchiveRef) (int64, error) {
	name := ref.Name + "/manifest"
	head, err := r.blob(name, ref.SHA256)
	if err != nil {
		return 0, err
	}
	m, err := parseManifest(ref, head)
	if err != nil {
		return 0, err
	}
	size := int64(len(head))
	for _, c := range m.Chunks {
		data, err := r.blob(c.Name, c.SHA256)
		if err != nil {
			return 0, err
		}
		if err := r.put(ctx, c.Name, data); err != nil {
			return 0, err
		}
		size += int64(len(data))
	}
	return size, r.put(ctx, name, head)
}

func (r *importer) blob(name, sum string) ([]byte, error) {
	var line transferBlob
	if err := r.next(&line); err != nil {
		return nil, err
	}
	if line.Blob != name || hexSum(line.Data) != sum {
		return nil, fmt.Errorf("%w: %s is not what the records point at", ErrDamaged, name)
	}
	return line.Data, nil
}

// put stores a blob unless it is there.
func (r *importer) put(ctx context.Context, name string, data []byte) error {
	have, err := r.blobs.Get(ctx, name)
	switch {
	case errors.Is(err, ErrNoBlob):
		return r.blobs.Put(ctx, name, data)
	case err != nil:
		return err
	case !bytes.Equal(have, data):
		return fmt.Errorf("%w: %s", ErrConflict, name)
	default:
		return nil
	}
}

// foot checks that nothing is missing before the end and nothing follows it.
func (r *importer) foot(foot transferFoot, before int) error {
	if foot.Runs != before {
		return fmt.Errorf("%w: the export had %d runs, %d are left", ErrDamaged, foot.Runs, before)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the end of the export", ErrDamaged)
	}
	return nil
}

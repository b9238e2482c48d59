package journal

import (
	"context"
	"fmt"
	"io"
)

// Export writes runs of a journal, with the archives that their records point
// at, to out in a portable form that Import reads: all runs when none is named,
// the first started first. Everything is verified before it is written; a run
// that cannot be is an error, and what was written until then is not a whole
// export. Give it the journal as it is stored: what is sealed stays sealed, and
// nothing need open it.
func Export(ctx context.Context, store Store, runs []string, out io.Writer) ([]Transferred, error) {
	own, err := stored(store)
	if err != nil {
		return nil, err
	}
	if len(runs) == 0 {
		summaries, err := store.Runs(ctx)
		if err != nil {
			return nil, err
		}
		for _, summary := range summaries {
			runs = append(runs, summary.Run)
		}
	}
	w := exporter{archives: own, out: out}
	if err := w.line(transferHead{Export: transferName, V: transferVersion}); err != nil {
		return nil, err
	}
	var done []Transferred
	for _, run := range runs {
		records, err := store.Records(ctx, run)
		if err == nil {
			_, err = Fold(records)
		}
		if err != nil {
			return done, fmt.Errorf("export run %s: %w", run, err)
		}
		one, err := w.run(ctx, run, records)
		if err != nil {
			return done, fmt.Errorf("export run %s: %w", run, err)
		}
		done = append(done, one)
	}
	return done, w.line(transferFoot{Runs: len(done)})
}

// exporter writes the lines of an export.
type exporter struct {
	archives *archives
	out      io.Writer
}

func (w *exporter) line(value any) error {
	line, err := marshal(value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	line = append(line, '\n')
	_, err = w.out.Write(line)
	return err
}

func (w *exporter) run(ctx context.Context, run string, records []Record) (Transferred, error) {
	refs := refsOf(records)
	done := Transferred{Run: run, Records: len(records), Archives: len(refs)}
	if err := w.line(transferRun{Run: run, Records: len(records), Archives: len(refs)}); err != nil {
		return done, err
	}
	for _, r := range records {
		data, err := r.Encode()
		if err != nil {
			return done, err
		}
		if err := w.line(transferRecord{Record: data}); err != nil {
			return done, err
		}
	}
	for _, ref := range refs {
		n, err := w.archive(ctx, ref)
		if err != nil {
			return done, fmt.Errorf("archive %s: %w", ref.Name, err)
		}
		done.Bytes += n
	}
	return done, nil
}

// archive writes an archive's manifest and chunks, and says how many bytes they are.
func (w *exporter) archive(ctx context.Context, ref ArchiveRef) (int64, error) {
	name := ref.Name + "/manifest"
	data, err := w.archives.blob(ctx, name, ref.SHA256)
	if err != nil {
		return 0, err
	}
	m, err := parseManifest(ref, data)
	if err != nil {
		return 0, err
	}
	if err := w.line(transferBlob{Blob: name, Data: data}); err != nil {
		return 0, err
	}
	size := int64(len(data))
	for _, c := range m.Chunks {
		data, err := w.archives.blob(ctx, c.Name, c.SHA256)
		if err != nil {
			return size, err
		}
		if err := w.line(transferBlob{Blob: c.Name, Data: data}); err != nil {
			return size, err
		}
		size += int64(len(data))
	}
	return size, nil
}

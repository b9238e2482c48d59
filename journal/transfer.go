package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrConflict says that a journal holds something else under the same name.
var ErrConflict = errors.New("the journal holds something else under this name")

// transferVersion is the version of the form that Export writes.
const transferVersion = 1

// maxTransferLine bounds a line of an export, which is at most one chunk of an
// archive or one record.
const maxTransferLine = 256 << 20

// The form of an export is lines of JSON: a head, a section for each run, a foot.
//
//	{"export":"backstep-journal","v":1}
//	{"run":"…","records":2,"archives":1}
//	{"record":{…}}                       the records in order, as they are stored
//	{"record":{…}}
//	{"blob":"…/manifest","data":"…"}     for each archive that they point at,
//	{"blob":"…/1","data":"…"}            its manifest and then its chunks, base64
//	{"runs":1}
//
// The records of a run come first: they are chained by their hashes, and have the
// sums of the manifests, which have those of the chunks. So whoever reads knows
// what every later byte must be before storing any of it.
type (
	transferHead struct {
		Export string `json:"export"`
		V      int    `json:"v"`
	}
	transferRun struct {
		Run      string `json:"run"`
		Records  int    `json:"records"`
		Archives int    `json:"archives"`
	}
	transferRecord struct {
		Record json.RawMessage `json:"record"`
	}
	transferBlob struct {
		Blob string `json:"blob"`
		Data []byte `json:"data"`
	}
	transferFoot struct {
		Runs int `json:"runs"`
	}
)

const transferName = "backstep-journal"

// Transferred is what became of one run.
type Transferred struct {
	Run      string
	Records  int   // of the run, in the file
	Archives int   // that they point at
	Bytes    int64 // of those archives, as stored
	// Added counts the records that Import has stored: 0 when all were there.
	Added int
}

// stored gives the blobs under a journal's archives. The error wraps ErrInvalid
// when it does not keep them by NewArchives.
func stored(store Store) (*archives, error) {
	own, ok := store.Archives().(*archives)
	if !ok {
		return nil, fmt.Errorf("%w: this journal's archives cannot be transferred", ErrInvalid)
	}
	return own, nil
}

// refsOf gives the archives that records point at, each once, in the order in
// which they are met.
func refsOf(records []Record) []ArchiveRef {
	var refs []ArchiveRef
	seen := make(map[ArchiveRef]bool)
	for _, r := range records {
		for _, ref := range ArchiveRefs(r.Body) {
			if !seen[ref] {
				seen[ref] = true
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// parseManifest reads the manifest that ref points at, held against its sum.
func parseManifest(ref ArchiveRef, data []byte) (manifest, error) {
	if hexSum(data) != ref.SHA256 {
		return manifest{}, fmt.Errorf("%w: %s/manifest does not match its sum", ErrDamaged, ref.Name)
	}
	var m manifest
	if err := decodeStrict(data, &m); err != nil {
		return manifest{}, fmt.Errorf("%w: manifest: %w", ErrDamaged, err)
	}
	if m.V > 1 {
		return manifest{}, fmt.Errorf("%w: archive version %d", ErrVersion, m.V)
	}
	if m.Name != ref.Name || m.Items != ref.Items || m.Bytes != ref.Bytes {
		return manifest{}, fmt.Errorf("%w: the manifest is another archive's", ErrDamaged)
	}
	for _, c := range m.Chunks {
		if !strings.HasPrefix(c.Name, ref.Name+"/") {
			return manifest{}, fmt.Errorf("%w: the manifest names %s, which is not its own", ErrDamaged, c.Name)
		}
	}
	return m, nil
}

// decodeLine reads one line of an export into exactly the fields of into.
func decodeLine(line []byte, into any) error {
	if err := decodeStrict(line, into); err != nil {
		return fmt.Errorf("%w: not a line of an export: %w", ErrDamaged, err)
	}
	again, err := marshal(into)
	if err != nil || !bytes.Equal(again, line) {
		return fmt.Errorf("%w: a line of the export is not as it was written", ErrDamaged)
	}
	return nil
}

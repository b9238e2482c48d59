package sqlite_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
)

// sector is the unit that a disk writes as a whole.
const sector = 512

// platter is what a power cut leaves of the files, worked out from the calls
// that SQLite made: what was synchronised is there; of everything written since,
// any part can be.
type platter struct {
	durable map[string][]byte // contents as of each file's last sync
	pending map[string][]call // writes, truncations and deletions since
}

// replay takes in calls.
func replay(calls []call) platter {
	p := platter{durable: map[string][]byte{}, pending: map[string][]call{}}
	for _, c := range calls {
		switch {
		case !c.changes() || c.failed:
		case c.kind == "sync":
			if _, known := p.durable[c.file]; !known && c.file != "journal.db" {
				p.syncFolder()
			}
			p.durable[c.file] = apply(p.durable[c.file], p.pending[c.file])
			delete(p.pending, c.file)
		default:
			p.pending[c.file] = append(p.pending[c.file], c)
		}
	}
	return p
}

// syncFolder makes deletions durable: SQLite synchronises the folder along with
// the first sync of a rollback journal or write-ahead log that it has made.
func (p platter) syncFolder() {
	for name, changes := range p.pending {
		for i, c := range slices.Backward(changes) {
			if c.kind == "delete" {
				delete(p.durable, name)
				p.pending[name] = changes[i+1:]
				break
			}
		}
	}
}

// apply gives contents after changes; nil is a file that is not there.
func apply(content []byte, changes []call) []byte {
	content = slices.Clone(content)
	for _, c := range changes {
		switch c.kind {
		case "write":
			if end := int(c.offset) + len(c.data); end > len(content) {
				content = append(content, make([]byte, end-len(content))...)
			}
			copy(content[c.offset:], c.data)
		case "truncate":
			if int(c.offset) < len(content) {
				content = content[:c.offset]
			}
		case "delete":
			content = nil
		}
	}
	return content
}

// tear breaks writes up into sectors.
func tear(changes []call) []call {
	var torn []call
	for _, c := range changes {
		if c.kind != "write" {
			torn = append(torn, c)
			continue
		}
		for start := 0; start < len(c.data); {
			end := min(len(c.data), start+sector-int(c.offset+int64(start))%sector)
			piece := c
			piece.offset, piece.data = c.offset+int64(start), c.data[start:end]
			torn = append(torn, piece)
			start = end
		}
	}
	return torn
}

// outcomes are ways in which a power cut can treat what was not synchronised.
func outcomes(random *rand.Rand) map[string]func([]call) []call {
	chosen := func(from []call) []call {
		return slices.DeleteFunc(slices.Clone(from), func(call) bool { return random.IntN(2) == 0 })
	}
	return map[string]func([]call) []call{
		"nothing of it":        func([]call) []call { return nil },
		"all of it":            func(c []call) []call { return c },
		"all but the last":     func(c []call) []call { return c[:max(0, len(c)-1)] },
		"only the last":        func(c []call) []call { return c[max(0, len(c)-1):] },
		"some writes":          chosen,
		"some sectors":         func(c []call) []call { return chosen(tear(c)) },
		"some sectors, again":  func(c []call) []call { return chosen(tear(c)) },
		"the first half of it": func(c []call) []call { torn := tear(c); return torn[:len(torn)/2] },
	}
}

func TestAPowerCutAtAnyMomentKeepsWhatWasDurable(t *testing.T) {
	t.Parallel()
	const seed = 20261122
	records := journaltest.Chain(t, "run", 7)
	folder := t.TempDir()
	d := watch(t, folder)
	type ack struct {
		calls int
		p     progress
	}
	acks := []ack{{}}
	end := work(t.Context(), filepath.Join(folder, "journal.db"), records, func(p progress) {
		acks = append(acks, ack{d.count(), p})
	})
	must(t, end.err)
	calls := d.log()
	random := rand.New(rand.NewPCG(seed, 0))
	ways := outcomes(random)
	names := slices.Sorted(maps.Keys(ways))
	cuts := 0
	for n := 0; n <= len(calls); n++ {
		if n > 0 && n < len(calls) && !calls[n-1].changes() {
			continue // as after the call before
		}
		promised := progress{tried: len(records)}
		for _, a := range acks {
			if a.calls <= n {
				promised.acked, promised.archived = a.p.acked, a.p.archived
			}
		}
		for i, name := range names {
			if (n+i)%every(4) != 0 {
				continue
			}
			cuts++
			left := leave(t, replay(calls[:n]), ways[name])
			check(t, left, records, promised, false)
			if t.Failed() {
				t.Fatalf("cut after call %d of %d, of what was pending %s (seed %d)", n, len(calls), name, seed)
			}
		}
	}
	t.Logf("%d power cuts over %d calls", cuts, len(calls))
}

// leave writes the files as a power cut leaves them.
func leave(t *testing.T, p platter, way func([]call) []call) string {
	t.Helper()
	folder := t.TempDir()
	files := map[string]bool{}
	for name := range p.durable {
		files[name] = true
	}
	for name := range p.pending {
		files[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if content := apply(p.durable[name], way(p.pending[name])); content != nil {
			must(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
		}
	}
	return filepath.Join(folder, "journal.db")
}

// cutOff does the workload and gives the files as a killed process leaves
// them, the write-ahead log among them.
func cutOff(t *testing.T, records []journal.Record) (map[string][]byte, progress) {
	t.Helper()
	folder := t.TempDir()
	d := watch(t, folder)
	calls := 0
	p := work(t.Context(), filepath.Join(folder, "journal.db"), records, func(progress) { calls = d.count() })
	must(t, p.err)
	platter := replay(d.log()[:calls])
	files := map[string][]byte{}
	for name, content := range platter.durable {
		files[name] = apply(content, platter.pending[name])
	}
	return files, p
}

func TestFilesCutOffAtAnyByteGiveAPrefixOrATypedError(t *testing.T) {
	t.Parallel()
	damageAt(t, 397, func(content []byte, at int) []byte { return content[:at] })
}

func TestAnyGarbledByteGivesAPrefixOrATypedError(t *testing.T) {
	t.Parallel()
	damageAt(t, 211, func(content []byte, at int) []byte {
		content[at] ^= 0x5a
		return content
	})
}

func TestAnyByteLostToZeroGivesAPrefixOrATypedError(t *testing.T) {
	t.Parallel()
	damageAt(t, 499, func(content []byte, at int) []byte {
		clear(content[at:min(len(content), at+16)])
		return content
	})
}

// damageAt damages each file of a journal that was cut off, and of one that
// was closed, at places step bytes apart, or at every byte.
func damageAt(t *testing.T, step int, damage func(content []byte, at int) []byte) {
	t.Helper()
	records := journaltest.Chain(t, "run", 7)
	running, p := cutOff(t, records)
	folder := t.TempDir()
	closed := filepath.Join(folder, "journal.db")
	must(t, work(t.Context(), closed, records, func(progress) {}).err)
	content, err := os.ReadFile(closed)
	must(t, err)
	tried := 0
	for state, files := range map[string]map[string][]byte{"cut off": running, "closed": {"journal.db": content}} {
		for name, content := range files {
			t.Run(fmt.Sprintf("%s of a journal %s", name, state), func(t *testing.T) {
				for at := 0; at < len(content); at += every(step) {
					folder := t.TempDir()
					for other, whole := range files {
						must(t, os.WriteFile(filepath.Join(folder, other), whole, 0o600))
					}
					must(t, os.WriteFile(filepath.Join(folder, name), damage(slices.Clone(content), at), 0o600))
					q := p
					if state == "closed" {
						q.archived = journal.ArchiveRef{} // its name is drawn; the other one's is not here
					}
					check(t, filepath.Join(folder, "journal.db"), records, q, true)
					tried++
					if t.Failed() {
						t.Fatalf("byte %d of %d", at, len(content))
					}
				}
			})
		}
	}
	t.Logf("%d places tried", tried)
}

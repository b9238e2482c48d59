package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// disk stands between SQLite and the files of one folder. SQLite itself, its
// locks and its files are the real ones: what passes here is each call that
// SQLite makes of the operating system for a file's contents, which the disk
// writes down and may let fail, as a whole or in part.
type disk struct {
	mu sync.Mutex
	// calls are all calls so far, those that failed included.
	calls []call
	// fault says how a call fails; nil is as if it never did.
	fault func(call) fault
}

// call is one call of SQLite's on a file.
type call struct {
	n      int    // from 1
	kind   string // open, read, write, truncate, sync or delete
	file   string // its base name
	offset int64  // of a write; the new size of a truncation
	data   []byte // of a write, as far as it was done
	failed bool
}

// fault is how a call fails.
type fault struct {
	code int32 // what SQLite is told; 0 for no failure
	part int   // how many bytes of a write are written all the same
	flip int   // a read gives this bit inverted, counted from 1; 0 for none
}

// changes says whether the call would change the file.
func (c call) changes() bool { return c.kind != "open" && c.kind != "read" }

// watch gives the disk of a folder. It stays until the test ends.
func watch(t *testing.T, folder string) *disk {
	t.Helper()
	layer := shimmed(t)
	d := &disk{}
	layer.mu.Lock()
	defer layer.mu.Unlock()
	layer.disks[folder] = d
	t.Cleanup(func() {
		layer.mu.Lock()
		defer layer.mu.Unlock()
		delete(layer.disks, folder)
	})
	return d
}

// set makes calls fail from now on; nil ends that.
func (d *disk) set(f func(call) fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// count is how many calls there were.
func (d *disk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.calls)
}

// log is all calls so far.
func (d *disk) log() []call {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// take writes down a call and says how it fails.
func (d *disk) take(c call) fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.n = len(d.calls) + 1
	var f fault
	if d.fault != nil {
		f = d.fault(c)
	}
	if f.code != 0 {
		c.failed = true
		c.data = c.data[:min(f.part, len(c.data))]
	}
	d.calls = append(d.calls, c)
	return f
}

// shim is the layer between SQLite and the operating system. SQLite keeps one
// list of those for the whole process, so there is one shim.
type shim struct {
	mu    sync.Mutex
	disks map[string]*disk // by folder
	files map[uintptr]opened
	// real is the layer below; methods are copies of its tables of functions
	// with some of them replaced, by the address of the original.
	real    *sqlite3.Tsqlite3_vfs
	methods map[uintptr]uintptr
}

// opened is a file that SQLite has opened in a watched folder.
type opened struct {
	disk *disk
	name string
	real *sqlite3.Tsqlite3_io_methods
}

//nolint:gochecknoglobals // SQLite's list of file systems is the process's, and its functions are called without a receiver
var theShim = shim{disks: map[string]*disk{}, files: map[uintptr]opened{}, methods: map[uintptr]uintptr{}}

//nolint:gochecknoglobals // see theShim
var shimOnce sync.Once

// shimmed puts the shim before the layer that SQLite uses by default.
func shimmed(t *testing.T) *shim {
	t.Helper()
	shimOnce.Do(func() {
		db, err := sql.Open("sqlite", ":memory:") // lets the driver set SQLite up first
		must(t, err)
		must(t, db.PingContext(context.Background()))
		must(t, db.Close())
		tls := libc.NewTLS()
		found := sqlite3.Xsqlite3_vfs_find(tls, 0)
		theShim.real = at[sqlite3.Tsqlite3_vfs](found)
		copied := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
		vfs := at[sqlite3.Tsqlite3_vfs](copied)
		*vfs = *theShim.real
		name, err := libc.CString("watched")
		must(t, err)
		vfs.FzName, vfs.FpNext = name, 0
		vfs.FxOpen, vfs.FxDelete = pointer(shimOpen), pointer(shimDelete)
		if code := sqlite3.Xsqlite3_vfs_register(tls, copied, 1); code != sqlite3.SQLITE_OK {
			t.Fatalf("register the shim: %d", code)
		}
	})
	return &theShim
}

// disk finds the disk that a path is on, nil for none.
func (s *shim) disk(path string) *disk {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disks[filepath.Dir(path)]
}

// of gives an opened file by its handle.
func (s *shim) of(file uintptr) opened {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[file]
}

// adopt puts a file that the layer below has opened under watch.
func (s *shim) adopt(tls *libc.TLS, file uintptr, d *disk, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	handle := at[sqlite3.Tsqlite3_file](file)
	original := handle.FpMethods
	below := at[sqlite3.Tsqlite3_io_methods](original)
	if s.methods[original] == 0 {
		copied := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(*below)))
		methods := at[sqlite3.Tsqlite3_io_methods](copied)
		*methods = *below
		methods.FxClose, methods.FxRead, methods.FxWrite = pointer(shimClose), pointer(shimRead), pointer(shimWrite)
		methods.FxTruncate, methods.FxSync = pointer(shimTruncate), pointer(shimSync)
		s.methods[original] = copied
	}
	handle.FpMethods = s.methods[original]
	s.files[file] = opened{disk: d, name: filepath.Base(path), real: below}
}

func shimOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	path := ""
	if name != 0 {
		path = libc.GoString(name)
	}
	d := theShim.disk(path)
	if d != nil {
		if f := d.take(call{kind: "open", file: filepath.Base(path)}); f.code != 0 {
			at[sqlite3.Tsqlite3_file](file).FpMethods = 0
			return sqlite3.SQLITE_CANTOPEN
		}
	}
	below := function[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](theShim.real.FxOpen)
	code := below(tls, vfs, name, file, flags, out)
	if d != nil && code == sqlite3.SQLITE_OK {
		theShim.adopt(tls, file, d, path)
	}
	return code
}

func shimDelete(tls *libc.TLS, vfs, name uintptr, sync int32) int32 {
	path := libc.GoString(name)
	if d := theShim.disk(path); d != nil {
		if f := d.take(call{kind: "delete", file: filepath.Base(path)}); f.code != 0 {
			return f.code
		}
	}
	return function[func(*libc.TLS, uintptr, uintptr, int32) int32](theShim.real.FxDelete)(tls, vfs, name, sync)
}

func shimClose(tls *libc.TLS, file uintptr) int32 {
	o := theShim.of(file)
	theShim.mu.Lock()
	delete(theShim.files, file)
	theShim.mu.Unlock()
	return function[func(*libc.TLS, uintptr) int32](o.real.FxClose)(tls, file)
}

func shimRead(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	o := theShim.of(file)
	f := o.disk.take(call{kind: "read", file: o.name, offset: offset})
	if f.code != 0 {
		return f.code
	}
	code := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](o.real.FxRead)(tls, file, buffer, amount, offset)
	if bit := f.flip - 1; bit >= 0 && bit/8 < int(amount) {
		unsafe.Slice(at[byte](buffer), amount)[bit/8] ^= 1 << (bit % 8)
	}
	return code
}

func shimWrite(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	o := theShim.of(file)
	data := slices.Clone(unsafe.Slice(at[byte](buffer), amount))
	f := o.disk.take(call{kind: "write", file: o.name, offset: offset, data: data})
	below := function[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](o.real.FxWrite)
	if f.code == 0 {
		return below(tls, file, buffer, amount, offset)
	}
	if part := min(int32(f.part), amount); part > 0 {
		below(tls, file, buffer, part, offset)
	}
	return f.code
}

func shimTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	o := theShim.of(file)
	if f := o.disk.take(call{kind: "truncate", file: o.name, offset: size}); f.code != 0 {
		return f.code
	}
	return function[func(*libc.TLS, uintptr, int64) int32](o.real.FxTruncate)(tls, file, size)
}

func shimSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	o := theShim.of(file)
	if f := o.disk.take(call{kind: "sync", file: o.name}); f.code != 0 {
		return f.code
	}
	return function[func(*libc.TLS, uintptr, int32) int32](o.real.FxSync)(tls, file, flags)
}

// at gives what lies at an address of SQLite's memory, which Go does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function turns a pointer out of a table of SQLite's into a Go function.
func function[F any](pointer uintptr) F {
	return *(*F)(unsafe.Pointer(&pointer))
}

// pointer gives a function as SQLite's tables hold it. It must be a function at
// package level: nothing else keeps it alive.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

func TestTheDiskSeesEverythingThatSQLiteWrites(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := watch(t, folder)
	store := open(t, filepath.Join(folder, "journal.db"))
	must(t, store.Close())
	kinds := map[string]bool{}
	for _, c := range d.log() {
		kinds[c.kind+" "+strings.TrimPrefix(c.file, "journal.db")] = true
	}
	for _, want := range []string{"open ", "open -wal", "read ", "write ", "write -wal", "sync ", "sync -wal"} {
		if !kinds[want] {
			t.Errorf("no %q among %v", want, kinds)
		}
	}
}

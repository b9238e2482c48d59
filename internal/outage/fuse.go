package outage

import "sync"

// Fuse is shared by everything that stops when a process does.
type Fuse struct {
	mu    sync.Mutex
	blown bool
	abort chan struct{}
}

// NewFuse makes one that is whole.
func NewFuse() *Fuse { return &Fuse{abort: make(chan struct{})} }

// Blow stops the process. It may be called again.
func (f *Fuse) Blow() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.blown {
		f.blown = true
		close(f.abort)
	}
}

// Blown reports whether the process has stopped.
func (f *Fuse) Blown() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blown
}

// Abort is closed when the process stops.
func (f *Fuse) Abort() <-chan struct{} { return f.abort }

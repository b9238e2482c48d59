// Package journaltest holds what every journal backend must pass, and names the
// journal in memory for the tests of what writes to one.
package journaltest

import "github.com/backstep-dev/backstep/journal/memory"

// Memory is a journal in memory.
type Memory = memory.Store

// NewMemory makes an empty journal in memory.
func NewMemory() *Memory { return memory.New() }

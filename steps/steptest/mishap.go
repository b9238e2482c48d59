package steptest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/internal/outage"
)

// boundary is where something goes wrong, as the tally calls it: a fault of a
// request of the steps or of the journal, or a place around a journal write.
type boundary string

// The places around a journal write where a process can stop.
const (
	crashBeforeNote boundary = "crash before the journal write"
	crashAfterNote  boundary = "crash after the journal write"
)

// ofMail says whether it is at a request of a journal.
func (b boundary) ofMail() bool { return strings.HasPrefix(string(b), "journal: ") }

func noteCrashes() []boundary { return []boundary{crashBeforeNote, crashAfterNote} }

// requestFaults are the faults that a run must survive by itself.
func requestFaults() []boundary { return named("", outage.Survivable()) }

// requestCrashes are the places around a request where a process can stop.
func requestCrashes() []boundary { return named("", outage.Crashes()) }

// mailFaults and mailCrashes are the same for requests of the journal.
func mailFaults() []boundary  { return named("journal: ", outage.Survivable()) }
func mailCrashes() []boundary { return named("journal: ", outage.Crashes()) }

func named(prefix boundary, faults []outage.Fault) []boundary {
	list := make([]boundary, len(faults))
	for i, what := range faults {
		list[i] = prefix + boundary(what)
	}
	return list
}

// mishap is one thing that goes wrong: what, and at which occurrence, from 1.
type mishap struct {
	what boundary
	at   int
}

// on gives the fault that happens to the nth request, where prefix is that of
// the requests' boundaries.
func (m mishap) on(prefix boundary, n int) outage.Fault {
	if n == 0 || n != m.at {
		return outage.None
	}
	for _, what := range slices.Concat(outage.Survivable(), outage.Crashes()) {
		if prefix+boundary(what) == m.what {
			return what
		}
	}
	return outage.None
}

// String is the mishap in words.
func (m mishap) String() string { return fmt.Sprintf("%s %d", m.what, m.at) }

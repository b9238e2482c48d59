// Package seeded starts suites of random cases from one seed, which is always
// the same: a build must not fail by chance on what its change did not touch. A
// soak draws another seed each time.
package seeded

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

const usual = 20261122

// Checks is how many cases each property of a package is tried with: in a build,
// in a soak (BACKSTEP_SOAK=1), and against a real server, where each request
// takes its time; 0 there is as many as in a build.
type Checks struct{ Build, Soak, Live int }

// Run sets rapid's number of cases and its seed, prints both, and runs the
// package's tests; its result is the exit code. The flags -rapid.checks and
// -rapid.seed override what it sets.
func Run(m *testing.M, c Checks) int {
	checks, seed := c.Build, int64(usual)
	switch {
	case os.Getenv("BACKSTEP_SOAK") != "":
		checks, seed = c.Soak, time.Now().UnixNano()
	case os.Getenv("BACKSTEP_LIVE_ENDPOINT") != "" && c.Live > 0:
		checks = c.Live
	}
	set("rapid.checks", strconv.Itoa(checks))
	set("rapid.seed", strconv.FormatInt(seed, 10))
	flag.Parse()
	fmt.Fprintf(os.Stderr, "-rapid.seed=%s -rapid.checks=%s\n", flag.Lookup("rapid.seed").Value, flag.Lookup("rapid.checks").Value)
	return m.Run()
}

func set(name, value string) {
	if err := flag.Set(name, value); err != nil {
		panic(err) // the package's tests do not use rapid
	}
}

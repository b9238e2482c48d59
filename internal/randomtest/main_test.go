package randomtest_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/internal/livetest"
)

// streams run side by side, as far as there are processors.
const streams = 10

// TestMain says how much is tried and from which seed. That is always the same,
// so that a build cannot fail by chance; a soak draws another one each time.
// -rapid.seed and -rapid.checks, of each stream, override both.
func TestMain(m *testing.M) {
	checks, seed := 100, int64(20261122) // a thousand migrations
	switch {
	case os.Getenv("BACKSTEP_SOAK") != "":
		checks, seed = 1000, time.Now().UnixNano()
	case livetest.Live():
		checks = 10 // each request takes its time
	}
	set("rapid.checks", strconv.Itoa(checks))
	set("rapid.seed", strconv.FormatInt(seed, 10))
	flag.Parse()
	fmt.Fprintf(os.Stderr, "randomtest: -rapid.seed=%s -rapid.checks=%s\n",
		flag.Lookup("rapid.seed").Value, flag.Lookup("rapid.checks").Value)
	os.Exit(m.Run()) //nolint:forbidigo // TestMain has no other way
}

func set(name, value string) {
	if err := flag.Set(name, value); err != nil {
		panic(err)
	}
}

package history_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/internal/livetest"
)

// TestMain says how many histories are tried, from which seed; see the package
// above.
func TestMain(m *testing.M) {
	checks, seed := 60, int64(20261122)
	switch {
	case os.Getenv("BACKSTEP_SOAK") != "":
		checks, seed = 2000, time.Now().UnixNano()
	case livetest.Live():
		checks = 5 // each request takes its time
	}
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(checks), "rapid.seed": strconv.FormatInt(seed, 10)} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	fmt.Fprintf(os.Stderr, "history: -rapid.seed=%s -rapid.checks=%s\n",
		flag.Lookup("rapid.seed").Value, flag.Lookup("rapid.checks").Value)
	os.Exit(m.Run()) //nolint:forbidigo // TestMain has no other way
}

package journal_test

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// TestMain says how many random cases are tried and from which seed. That is
// always the same, so that a build cannot fail by chance; a soak draws another
// one each time. -rapid.seed and -rapid.checks override both.
func TestMain(m *testing.M) {
	checks, seed := 200, int64(20261122)
	if os.Getenv("BACKSTEP_SOAK") != "" {
		checks, seed = 20_000, time.Now().UnixNano()
	}
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(checks), "rapid.seed": strconv.FormatInt(seed, 10)} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	fmt.Fprintf(os.Stderr, "journal: -rapid.seed=%s -rapid.checks=%s\n", flag.Lookup("rapid.seed").Value, flag.Lookup("rapid.checks").Value)
	os.Exit(m.Run()) //nolint:forbidigo // TestMain has no other way
}

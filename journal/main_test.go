package journal_test

import (
	"os"
	"testing"

	"github.com/backstep-dev/backstep/internal/seeded"
)

func TestMain(m *testing.M) {
	os.Exit(seeded.Run(m, seeded.Checks{Build: 200, Soak: 20_000})) //nolint:forbidigo // TestMain has no other way
}

package store_test

import (
	"os"
	"testing"

	"github.com/backstep-dev/backstep/internal/seeded"
)

func TestMain(m *testing.M) {
	os.Exit(seeded.Run(m, seeded.Checks{Build: 100, Soak: 10_000})) //nolint:forbidigo // TestMain has no other way
}

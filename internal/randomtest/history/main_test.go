package history_test

import (
	"os"
	"testing"

	"github.com/backstep-dev/backstep/internal/seeded"
)

func TestMain(m *testing.M) {
	os.Exit(seeded.Run(m, seeded.Checks{Build: 60, Soak: 2000, Live: 5})) //nolint:forbidigo // TestMain has no other way
}

package nearest_test

import (
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/nearest"
)

func TestWordFindsWhatWasMeantAndNothingFarther(t *testing.T) {
	t.Parallel()
	words := []string{"required", "array", "size", "key"}
	for name, want := range map[string]string{
		"requierd": "required", "Required": "required", "requird": "required", "aray": "array",
		"sizes": "size", "keys": "key", "colour": "", "": "", "xy": "", strings.Repeat("x", 1<<20): "",
	} {
		if got := nearest.Word(name, words); got != want {
			t.Errorf("Word(%.20q) = %q, want %q", name, got, want)
		}
	}
}

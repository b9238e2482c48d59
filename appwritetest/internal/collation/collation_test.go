package collation_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/collation"
)

func TestGeneralIgnoresCaseAccentsAndTrailingBlanks(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"abc", "ABC"}, {"caf\u00e9", "CAFE"}, {"a  ", "a"}, {"stra\u00dfe", "STRA\u00dfE"}} {
		if collation.General(pair[0]) != collation.General(pair[1]) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{" a", "a"}, {"ab", "a"}, {"", "a"}} {
		if collation.General(pair[0]) == collation.General(pair[1]) {
			t.Errorf("%q and %q are equal", pair[0], pair[1])
		}
	}
}

package steps_test

import (
	"errors"
	"testing"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/steps"
)

func TestAssertSaysWhatIsSo(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		b.products("Lamp", "Chair", "Desk")
		n := func(v int64) *int64 { return &v }
		lamps, none := steps.Where(query.Equal("title", "Lamp")), steps.Where(query.Equal("title", "Sofa"))
		for _, c := range []struct {
			name string
			step steps.Assert
			so   bool
		}{
			{"database exists", steps.Assert{Exists: true}, true},
			{"database absent", steps.Assert{Absent: true}, false},
			{"collection exists", steps.Assert{Collection: "products", Exists: true}, true},
			{"collection absent", steps.Assert{Collection: "orders", Absent: true}, true},
			{"collection missing", steps.Assert{Collection: "orders", Exists: true}, false},
			{"attribute exists", steps.Assert{Collection: "products", Attribute: "title", Exists: true}, true},
			{"attribute of no collection", steps.Assert{Collection: "orders", Attribute: "title", Absent: true}, true},
			{"index missing", steps.Assert{Collection: "products", Index: "by_title", Exists: true}, false},
			{"document exists", steps.Assert{Collection: "products", Document: "p0", Exists: true}, true},
			{"document absent", steps.Assert{Collection: "products", Document: "p0", Absent: true}, false},
			{"count", steps.Assert{Collection: "products", Count: n(3)}, true},
			{"miscount", steps.Assert{Collection: "products", Count: n(2)}, false},
			{"count of a query", steps.Assert{Collection: "products", Count: n(1), Where: lamps}, true},
			{"at least", steps.Assert{Collection: "products", AtLeast: n(3)}, true},
			{"at least one", steps.Assert{Collection: "products", AtLeast: n(1), Where: none}, false},
			{"at most", steps.Assert{Collection: "products", AtMost: n(2)}, false},
			{"between", steps.Assert{Collection: "products", AtLeast: n(1), AtMost: n(5)}, true},
			{"empty", steps.Assert{Collection: "products", Empty: true, Where: none}, true},
			{"not empty", steps.Assert{Collection: "products", Empty: true, Where: lamps}, false},
		} {
			c.step.Database = b.database
			if err := steps.Validate(c.step); err != nil {
				b.t.Errorf("%s: %v", c.name, err)
				continue
			}
			_, err := b.bound(c.step).Apply(b.t.Context(), b.site(), nil)
			if c.so && err != nil || !c.so && !errors.Is(err, steps.ErrAssertion) {
				b.t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

func TestAssertRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	one := int64(1)
	for name, step := range map[string]steps.Assert{
		"nothing":              {},
		"nothing said":         {Database: "d"},
		"both":                 {Database: "d", Exists: true, Absent: true},
		"count of a database":  {Database: "d", Count: &one},
		"count of an index":    {Database: "d", Collection: "c", Index: "i", Count: &one},
		"index of no place":    {Database: "d", Index: "i", Exists: true},
		"two objects":          {Database: "d", Collection: "c", Index: "i", Document: "x", Exists: true},
		"where without count":  {Database: "d", Collection: "c", Exists: true, Where: steps.Where(query.IsNull("x"))},
		"limit in where":       {Database: "d", Collection: "c", Empty: true, Where: steps.Where(query.Limit(1))},
		"no query":             {Database: "d", Collection: "c", Empty: true, Where: steps.Where("title = 'Lamp'")},
		"count and at least":   {Database: "d", Collection: "c", Count: &one, AtLeast: &one},
		"empty and at most":    {Database: "d", Collection: "c", Empty: true, AtMost: &one},
		"an id that cannot be": {Database: "d", Collection: "c", Document: "_x", Exists: true},
	} {
		if err := steps.Validate(step); err == nil {
			t.Errorf("%s is accepted: %+v", name, step)
		}
	}
}

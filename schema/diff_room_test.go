package schema_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// wide gives texts of 20,002 bytes a row; three of them fit.
func wide(keys ...string) []schema.Attribute {
	var list []schema.Attribute
	for _, key := range keys {
		list = append(list, text(key, 5000))
	}
	return list
}

// isAtOnce reports whether an attribute is dropped in its place.
func isAtOnce(list []engine.Step) bool {
	return slices.ContainsFunc(list, func(s engine.Step) bool {
		d, is := s.(steps.DeleteAttribute)
		return is && d.AtOnce
	})
}

func TestDiffFindsRoomForOldAndNew(t *testing.T) {
	t.Parallel()
	encrypted := func(keys ...string) []schema.Attribute {
		list := wide(keys...)
		for i := range list {
			list[i].Encrypt = true
		}
		return list
	}
	by := schema.Index{Key: "by", Type: "key", Attributes: []string{"b"}, Lengths: []int{20}}
	for name, c := range map[string]struct {
		from, to schema.Model
		atOnce   bool
		outside  bool // by way of an attribute that is stored outside the row
	}{
		"side by side":           {from: shopOf(wide("a", "b")), to: shopOf(append(wide("a"), encrypted("b")...))},
		"without a tombstone":    {from: shopOf(wide("a", "b", "c")), to: shopOf(wide("a", "b", "d")), atOnce: true},
		"one after the other":    {from: shopOf(wide("a", "b", "c"), by), to: shopOf(append(wide("a"), encrypted("b", "c")...), by), atOnce: true, outside: true},
		"a larger and a smaller": {from: shopOf(append(wide("a", "b"), text("c", 15))), to: shopOf([]schema.Attribute{text("a", 10000), text("b", 5), text("c", 15)})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delta := mustDiff(t, c.from, c.to)
			atOnce := isAtOnce(delta.Steps)
			outside := slices.ContainsFunc(outline(delta.Steps), func(s string) bool { return strings.HasSuffix(s, "_text") })
			if atOnce != c.atOnce || outside != c.outside {
				t.Errorf("at once %t, outside the row %t: %q", atOnce, outside, outline(delta.Steps))
			}
			for _, version := range []string{"1.9.6", "1.8.1"} {
				counts := newTally()
				newTravel(t, version, c.from).visit(t, destiny{from: c.from, to: c.to}, false, counts)
				if counts.undone != 1 {
					t.Errorf("Appwrite %s: %v", version, counts)
				}
			}
		})
	}
}

func TestDiffRefusesWhatHasNoRoomOnTheWay(t *testing.T) {
	t.Parallel()
	// 65,533 bytes: one more fits, a float does not.
	full := append(wide("a", "b", "c"), text("d", 1099), schema.Attribute{Key: "e", Type: "boolean"}, text("f", 13), schema.Attribute{Key: "g", Type: "integer"})
	number := slices.Clone(full)
	number[6] = schema.Attribute{Key: "g", Type: "float"}
	_, err := schema.Diff(shopOf(full), shopOf(number))
	var refused *schema.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "products/g") {
		t.Errorf("error is %v", err)
	}
}

func TestDiffMakesWayForIdsThatDifferByLetterCaseOnly(t *testing.T) {
	t.Parallel()
	one, two := shopOf(wide("a")), shopOf(wide("b"))
	two.Databases[0].Collections[0].ID = "Products"
	three := shopOf(wide("c"))
	three.Databases[0].ID = "SHOP"
	for _, to := range []schema.Model{two, three} {
		counts := newTally()
		newTravel(t, "1.9.6", one).visit(t, destiny{from: one, to: to}, false, counts)
		if counts.undone != 1 {
			t.Errorf("%v: %v", to, counts)
		}
	}
}

func TestDiffStaysBelowTheLimitsOfACollectionOnTheWay(t *testing.T) {
	t.Parallel()
	indexes := func(prefix string) []schema.Index {
		var list []schema.Index
		for i := range 58 {
			list = append(list, schema.Index{Key: fmt.Sprint(prefix, i), Type: "key", Attributes: []string{"a"}})
		}
		return list
	}
	a := []schema.Attribute{text("a", 10)}
	steps := outline(mustDiff(t, shopOf(a, indexes("old")...), shopOf(a, indexes("new")...)).Steps)
	if len(steps) != 116 || !strings.HasPrefix(steps[57], "delete_index") || !strings.HasPrefix(steps[58], "create_index") {
		t.Errorf("old indexes do not go first: %q", steps)
	}
	attributes := func(prefix string) []schema.Attribute {
		var list []schema.Attribute
		for i := range 1010 {
			list = append(list, schema.Attribute{Key: fmt.Sprint(prefix, i), Type: "boolean"})
		}
		return list
	}
	delta := mustDiff(t, shopOf(attributes("old")), shopOf(attributes("new")))
	if first := outline(delta.Steps)[0]; len(delta.Steps) != 2020 || !strings.HasPrefix(first, "delete_attribute") {
		t.Errorf("%d steps, the first is %s", len(delta.Steps), first)
	}
	if !isAtOnce(delta.Steps) {
		t.Error("tombstones leave no room for what comes")
	}
}

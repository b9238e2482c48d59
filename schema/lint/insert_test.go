package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// Lines that are to be put before a step stand where the step stands, and parse.
func TestLinesToInsertAreIndentedAsTheStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, step string
		lines        int
	}{
		"none":        {"database: shop\nsteps:\n", "- delete_attribute: { collection: products, key: note }\n", 1},
		"four":        {"database: shop\nsteps:\n", "    - delete_attribute: { collection: products, key: note }\n", 1},
		"in brackets": {"database: shop\nsteps: [\n", "  { delete_attribute: { collection: products, key: note } } ]\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := func(text string) fstest.MapFS {
				return fstest.MapFS{
					"20260101000001_shop.yaml":   &fstest.MapFile{Data: []byte(shop)},
					"20260101000002_change.yaml": &fstest.MapFile{Data: []byte(text)},
				}
			}
			report := look(t, file(c.before+c.step))
			if len(report.Findings) != 1 || len(report.Findings[0].Insert) != c.lines {
				t.Fatalf("found %+v", report.Findings)
			}
			if c.lines == 0 {
				return
			}
			fixed := c.before + strings.Join(report.Findings[0].Insert, "\n") + "\n" + c.step
			if left := look(t, file(fixed)).Findings; len(left) > 0 {
				t.Errorf("%v is found in\n%s", left, fixed)
			}
		})
	}
}

func TestIdsThatLookLikeNumbersAreInsertedAsText(t *testing.T) {
	t.Parallel()
	const made = "database: '12e3'\nsteps:\n  - create_database: { id: '12e3', name: Shop }\n  - create_collection: { id: '0123', name: Products }\n" +
		"  - create_attribute: { collection: '0123', key: 'true', type: integer }\n  - create_index: { collection: '0123', key: '7', type: key, attributes: ['true'] }\n"
	const drop = "  - delete_attribute: { collection: '0123', key: 'true' }\n"
	files := fstest.MapFS{
		"20260101000001_made.yaml": &fstest.MapFile{Data: []byte(made)},
		"20260101000002_drop.yaml": &fstest.MapFile{Data: []byte("database: '12e3'\nsteps:\n" + drop)},
	}
	fixed := []string{"database: '12e3'", "steps:"}
	for _, f := range look(t, files).Findings {
		fixed = append(fixed, f.Insert...)
	}
	text := strings.Join(append(fixed, drop), "\n")
	files["20260101000002_drop.yaml"] = &fstest.MapFile{Data: []byte(text)}
	if left := look(t, files).Findings; len(left) > 0 {
		t.Errorf("%v is found in\n%s", left, text)
	}
}

func TestATakenNameIsPointedAt(t *testing.T) {
	t.Parallel()
	const orders = "  - create_collection: { id: orders, name: Orders }\n"
	for name, step := range map[string]string{
		"key: Title":            "  - create_attribute: { collection: products, key: Title, type: integer }\n",
		"new_key: title":        "  - rename_attribute: { collection: products, key: note, new_key: title } # backstep:nolint BS404 not in use\n",
		"two_way_key: title":    orders + "  - create_relationship: { collection: orders, related: products, type: manyToOne, key: a, two_way: true, two_way_key: title }\n",
		"two_way_key: note":     orders + "  - create_relationship: { collection: orders, related: products, type: manyToOne, key: a, two_way_key: note }\n",
		"id: Products, name: P": "  - create_collection: { id: Products, name: P }\n",
	} {
		report := look(t, fstest.MapFS{
			"20260101000001_shop.yaml":   &fstest.MapFile{Data: []byte(shop)},
			"20260101000002_change.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n" + step)},
		})
		if len(report.Findings) != 1 || !strings.HasPrefix(report.Findings[0].Line[report.Findings[0].At.Column-1:], name) {
			t.Errorf("%s: found %+v", name, report.Findings)
		}
	}
}

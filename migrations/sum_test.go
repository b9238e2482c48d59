package migrations_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/migrations"
)

// parsed makes a set of files.
func parsed(t *testing.T, files map[string]string) migrations.Set {
	t.Helper()
	var list []*migrations.Migration
	for name, text := range files {
		m, err := migrations.Parse(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	set, err := migrations.NewSet(list...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

const (
	sumFileA = "20260101000001_a.yaml"
	sumFileB = "20260101000002_b.yaml"
	sumStepA = "steps:\n  - create_database: { id: shop, name: Shop }\n"
	sumStepB = "database: shop\nsteps:\n  - create_collection: { id: products, name: Products }\n"
)

func sumOf(t *testing.T, files map[string]string) migrations.Sum {
	t.Helper()
	sum, err := migrations.SumOf(parsed(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestASumReadsBackAndAgreesWithWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	files := map[string]string{sumFileA: sumStepA, sumFileB: sumStepB}
	sum, err := migrations.ParseSum("backstep.sum", sumOf(t, files).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(sumOf(t, files).Bytes()), string(sum.Bytes())); diff != "" {
		t.Error(diff)
	}
	if err := sum.Verify("backstep.sum", parsed(t, files), false); err != nil {
		t.Error(err)
	}
	commented := map[string]string{sumFileA: "# a comment\n" + sumStepA, sumFileB: "description: More\n" + sumStepB}
	if err := sum.Verify("backstep.sum", parsed(t, commented), false); err != nil {
		t.Errorf("comments count: %v", err)
	}
}

func TestEveryDifferenceFromTheSumIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	sum, err := migrations.ParseSum("backstep.sum", sumOf(t, map[string]string{sumFileA: sumStepA, sumFileB: sumStepB}).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"edited":  {map[string]string{sumFileA: strings.ReplaceAll(sumStepA, "Shop", "Store"), sumFileB: sumStepB}, sumFileA + ":1:1: 20260101000001_a was changed: its checksum is"},
		"missing": {map[string]string{sumFileA: sumStepA}, "backstep.sum:4:1: 20260101000002_b is listed, and there is no such migration"},
		"added":   {map[string]string{sumFileA: sumStepA, sumFileB: sumStepB, "20260101000003_c.yaml": sumStepB}, "20260101000003_c.yaml:1:1: 20260101000003_c is not in backstep.sum"},
		"renamed": {map[string]string{sumFileA: sumStepA, "20260101000002_other.yaml": sumStepB}, "20260101000002_other.yaml:1:1: 20260101000002_other is called 20260101000002_b in backstep.sum:4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := sum.Verify("backstep.sum", parsed(t, c.files), true)
			if !errors.Is(err, migrations.ErrSum) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAnOpenMigrationAgreesOnlyWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	files := map[string]string{sumFileA: sumStepA, sumFileB: sumStepB}
	sum := sumOf(t, map[string]string{sumFileA: sumStepA}).With("20260101000002_b", "")
	if err := sum.Verify("backstep.sum", parsed(t, files), true); err != nil {
		t.Error(err)
	}
	if err := sum.Verify("backstep.sum", parsed(t, files), false); !errors.Is(err, migrations.ErrSum) {
		t.Errorf("the error is %v", err)
	}
	if lines := sumOf(t, files).Since(sum); len(lines) != 1 || lines[0] != "closed 20260101000002_b" {
		t.Errorf("since: %v", lines)
	}
}

func TestASumThatAMergeLeftIsRefused(t *testing.T) {
	t.Parallel()
	ours := sumOf(t, map[string]string{sumFileA: sumStepA, sumFileB: sumStepB})
	theirs := sumOf(t, map[string]string{sumFileA: sumStepA, "20260101000003_c.yaml": sumStepB})
	if ourLines, theirLines := strings.Split(string(ours.Bytes()), "\n"), strings.Split(string(theirs.Bytes()), "\n"); ourLines[1] == theirLines[1] {
		t.Error("two branches that add different migrations have the same line of the whole, so that merging them is no conflict")
	}
	union := strings.TrimSuffix(string(ours.Bytes()), "\n") + "\n" + strings.SplitN(string(theirs.Bytes()), "\n", 5)[3] + "\n"
	for name, data := range map[string]string{
		"lines of both":     union,
		"conflict markers":  "<<<<<<< ours\n" + string(ours.Bytes()),
		"order":             strings.ReplaceAll(string(ours.Bytes()), "20260101000001_a", "20260101000009_a"),
		"an edited line":    strings.ReplaceAll(string(ours.Bytes()), "_b ", "_bb "),
		"without the whole": "20260101000001_a open\n",
	} {
		if _, err := migrations.ParseSum("backstep.sum", []byte(data)); !errors.Is(err, migrations.ErrSum) {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty, err := migrations.ParseSum("backstep.sum", migrations.Sum{}.Bytes())
	if err != nil || len(empty.Lines) != 0 {
		t.Errorf("an empty sum: %v, %v", empty, err)
	}
}

func TestASquashListsWhatItReplacesAndReadsBack(t *testing.T) {
	t.Parallel()
	list := parsed(t, map[string]string{sumFileA: sumStepA, sumFileB: sumStepB}).All()
	m, err := migrations.Squash(list, "both")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	read, err := migrations.Parse(m.ID()+".yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m.Replaces, read.Replaces); diff != "" || len(read.Replaces) != 2 || len(read.Up) != 2 || read.Version != "20260101000002" {
		t.Errorf("read back as %+v\n%s", read, diff)
	}
	checksum, err := list[1].Checksum()
	if err != nil || !read.Stands(checksum) {
		t.Errorf("it does not stand for %s: %v", list[1].ID(), err)
	}
	if _, err := migrations.Squash([]*migrations.Migration{list[0], read}, "again"); !errors.Is(err, migrations.ErrMalformed) {
		t.Errorf("a squash of a squash: %v", err)
	}
	for name, text := range map[string]string{
		"no checksum":  "replaces: { 20260101000001_a: x }\n" + sumStepB,
		"no migration": "replaces: { a: \"" + checksum + "\" }\n" + sumStepB,
		"newer":        "replaces: { 20270101000001_a: \"" + checksum + "\" }\n" + sumStepB,
		"a list":       "replaces: [20260101000001_a]\n" + sumStepB,
	} {
		if _, err := migrations.Parse(sumFileB, []byte(text)); !errors.Is(err, migrations.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

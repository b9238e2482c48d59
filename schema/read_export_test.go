package schema_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTheServersOwnIdBesideAKeyIsNoContradiction(t *testing.T) {
	t.Parallel()
	file, err := read(inCollection(`{"$id":"7_1_s","key":"s","type":"string","size":9}`,
		`{"$id":"7_1_by_s","key":"by_s","type":"key","attributes":["s"]}`))
	if err != nil {
		t.Fatal(err)
	}
	c := file.Model.Databases[0].Collections[0]
	if c.Attributes[0].Key != "s" || c.Indexes[0].Key != "by_s" || len(file.Notices) > 0 {
		t.Errorf("%+v, notices %v", c, file.Notices)
	}
}

func TestALengthBeyondTheAttributeIsAllOfIt(t *testing.T) {
	t.Parallel()
	file, err := read(inCollection(`{"key":"s","type":"string","size":9}`, `{"key":"i","type":"key","attributes":["s"],"lengths":[10]}`))
	if err != nil {
		t.Fatal(err)
	}
	if x := file.Model.Databases[0].Collections[0].Indexes[0]; !slices.Equal(x.Lengths, []int{0}) || !strings.Contains(fmt.Sprint(file.Notices), "a length of 10") {
		t.Errorf("%+v, notices %v", x, file.Notices)
	}
}

func TestAStringWithElementsAndNoSizeIsAnEnum(t *testing.T) {
	t.Parallel()
	for attribute, want := range map[string]string{
		`{"key":"k","type":"string","elements":["a"]}`:                      "enum",
		`{"key":"k","type":"string","elements":["a"],"size":5}`:             "string",
		`{"key":"k","type":"string","elements":[],"size":5}`:                "string",
		`{"key":"k","type":"string","elements":["a"],"size":5,"format":""}`: "string",
		`{"key":"k","type":"string","elements":null,"size":255}`:            "string",
	} {
		file, err := read(inCollection(attribute, ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := file.Model.Databases[0].Collections[0].Attributes[0]; got.Type != want {
			t.Errorf("%s is taken as %s, notices %v", attribute, got.Type, file.Notices)
		}
	}
}

// Some versions of the CLI write relationships of tables without the table.
func TestWhereARelationshipLeadsIsFoundByItsOtherSide(t *testing.T) {
	t.Parallel()
	table := func(id, columns string) string {
		return fmt.Sprintf(`{"$id":%q,"databaseId":"d","name":"T","columns":[%s]}`, id, columns)
	}
	side := func(key, other, side string) string {
		return fmt.Sprintf(`{"key":%q,"type":"relationship","relationType":"manyToOne","twoWay":true,"twoWayKey":%q,"onDelete":"setNull","side":%q}`, key, other, side)
	}
	pair := table("authors", side("books", "author", "child")) + "," + table("books", side("author", "books", "parent"))
	file, err := read(`{"tables":[` + pair + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Model.Databases[0].Collections[0].Attributes) != 0 {
		t.Errorf("the child side is kept: %+v", file.Model)
	}
	rel := file.Model.Databases[0].Collections[1].Attributes[0].Relationship
	if rel.Related != "authors" || !strings.Contains(fmt.Sprint(file.Notices), "authors, which has its other side books, is taken") {
		t.Errorf("%+v, notices %v", rel, file.Notices)
	}
	if _, err := read(`{"tables":[` + pair + "," + table("films", side("author", "books", "parent")) + `]}`); err == nil {
		t.Error("two tables could be the other side, and one is taken")
	}
}

func TestBothFormatsMayTellDifferentPartsOfARelationship(t *testing.T) {
	t.Parallel()
	declaration := `"$id":%q,"databaseId":"d","name":"T",%q:[{"key":"r","type":"relationship",%s"relationType":"oneToOne"}]`
	older := fmt.Sprintf("{"+declaration+"}", "a", "attributes", `"relatedCollection":"b",`)
	newer := fmt.Sprintf("{"+declaration+"}", "a", "columns", "")
	file, err := read(`{"collections":[` + older + `,{"$id":"b","databaseId":"d","name":"B"}],"tables":[` + newer + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	if c := file.Model.Databases[0].Collections; len(c) != 2 || len(c[0].Attributes) != 1 || c[0].Attributes[0].Relationship.Related != "b" {
		t.Errorf("%+v", c)
	}
}

func TestWhatIsNotManagedIsNamedWhetherItCanBeReadOrNot(t *testing.T) {
	t.Parallel()
	file, err := read(`{"includes":{"buckets":"gone.json"},"databases":[{"$id":"d","name":"D","policies":[{"$id":"p"}],"archives":[]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Unmanaged) != 1 || file.Unmanaged[0].Name != "buckets" {
		t.Errorf("unmanaged: %+v", file.Unmanaged)
	}
	if got := fmt.Sprint(file.Notices); len(file.Notices) != 1 || !strings.Contains(got, "policies of a database are not managed") {
		t.Errorf("notices: %s", got)
	}
}

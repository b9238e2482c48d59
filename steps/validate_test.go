package steps_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

func TestFieldsAreCheckedWithoutAServer(t *testing.T) {
	t.Parallel()
	attribute := func(change func(*steps.CreateAttribute)) engine.Step {
		s := steps.CreateAttribute{Database: "d", Collection: "c", Key: "k", Type: "string", Size: 10}
		change(&s)
		return s
	}
	index := func(change func(*steps.CreateIndex)) engine.Step {
		s := steps.CreateIndex{Database: "d", Collection: "c", Key: "k", Type: steps.Key, Attributes: []string{"a"}}
		change(&s)
		return s
	}
	relationship := func(change func(*steps.CreateRelationship)) engine.Step {
		s := steps.CreateRelationship{Database: "d", Collection: "c", Related: "r", Type: steps.OneToMany}
		change(&s)
		return s
	}
	type attr = *steps.CreateAttribute
	cases := map[string]struct {
		step  engine.Step
		field string // "" means that it is fine
	}{
		"database":                      {steps.CreateDatabase{ID: "shop", Name: "Shop"}, ""},
		"id missing":                    {steps.CreateDatabase{Name: "Shop"}, "id"},
		"id the server would draw":      {steps.CreateDatabase{ID: "unique()", Name: "Shop"}, "id"},
		"id too long":                   {steps.CreateDatabase{ID: strings.Repeat("a", 37), Name: "Shop"}, "id"},
		"id begins with a dot":          {steps.CreateDatabase{ID: ".a", Name: "Shop"}, "id"},
		"name missing":                  {steps.CreateDatabase{ID: "shop"}, "name"},
		"name of 128 wide characters":   {steps.CreateDatabase{ID: "shop", Name: strings.Repeat("é", 128)}, ""},
		"name too long":                 {steps.CreateDatabase{ID: "shop", Name: strings.Repeat("é", 129)}, "name"},
		"unknown API":                   {steps.CreateDatabase{ID: "shop", Name: "Shop", Type: "vectorsdb"}, "type"},
		"update of nothing":             {steps.UpdateDatabase{ID: "shop"}, "name"},
		"permissions":                   {steps.CreateCollection{Database: "d", ID: "c", Name: "C", Permissions: []string{`read("any")`, `write("team:a.b/owner")`, `create("users/verified")`, `delete("label:vip")`, `update("user:a/unverified")`, `read("member:m")`}}, ""},
		"permission without a role":     {steps.CreateCollection{Database: "d", ID: "c", Name: "C", Permissions: []string{`read("")`}}, "permissions"},
		"permission of an unknown kind": {steps.CreateCollection{Database: "d", ID: "c", Name: "C", Permissions: []string{`own("any")`}}, "permissions"},
		"update of no field":            {steps.UpdateCollection{Database: "d", ID: "c"}, "name"},

		"string":                       {attribute(func(attr) {}), ""},
		"string without size":          {attribute(func(s attr) { s.Size = 0 }), "size"},
		"string of the greatest size":  {attribute(func(s attr) { s.Size = 1073741824 }), ""},
		"string too large":             {attribute(func(s attr) { s.Size = 1073741825 }), "size"},
		"varchar too large":            {attribute(func(s attr) { s.Type, s.Size = "varchar", 16382 }), "size"},
		"boolean with size":            {attribute(func(s attr) { s.Type = "boolean" }), "size"},
		"unknown type":                 {attribute(func(s attr) { s.Type = "text2" }), "type"},
		"relationship as attribute":    {attribute(func(s attr) { s.Type, s.Size = "relationship", 0 }), "type"},
		"required with default":        {attribute(func(s attr) { s.Required, s.Default = true, raw(`"a"`) }), "default"},
		"required with null default":   {attribute(func(s attr) { s.Required, s.Default = true, raw(`null`) }), ""},
		"array with default":           {attribute(func(s attr) { s.Array, s.Default = true, raw(`["a"]`) }), "default"},
		"default of another type":      {attribute(func(s attr) { s.Default = raw(`1`) }), "default"},
		"default too long":             {attribute(func(s attr) { s.Default = raw(`"01234567890"`) }), "default"},
		"default that just fits":       {attribute(func(s attr) { s.Default = raw(`"éééééééééé"`) }), ""},
		"encrypted and short":          {attribute(func(s attr) { s.Encrypt = true }), "encrypt"},
		"encrypted and long":           {attribute(func(s attr) { s.Encrypt, s.Size = true, 150 }), ""},
		"encrypted number":             {attribute(func(s attr) { s.Type, s.Size, s.Encrypt = "integer", 0, true }), "encrypt"},
		"integer":                      {attribute(func(s attr) { s.Type, s.Size, s.Min, s.Default = "integer", 0, "-1", raw(`0`) }), ""},
		"integer with fraction":        {attribute(func(s attr) { s.Type, s.Size, s.Default = "integer", 0, raw(`0.5`) }), "default"},
		"integer bound with fraction":  {attribute(func(s attr) { s.Type, s.Size, s.Max = "integer", 0, "0.5" }), "max"},
		"integer bound too large":      {attribute(func(s attr) { s.Type, s.Size, s.Max = "integer", 0, "9223372036854775808" }), "max"},
		"bounds the wrong way round":   {attribute(func(s attr) { s.Type, s.Size, s.Min, s.Max = "float", 0, "2", "1.5" }), "min"},
		"default out of bounds":        {attribute(func(s attr) { s.Type, s.Size, s.Max, s.Default = "integer", 0, "5", raw(`6`) }), "default"},
		"bounds of a string":           {attribute(func(s attr) { s.Max = "5" }), "max"},
		"enum without elements":        {attribute(func(s attr) { s.Type, s.Size = "enum", 0 }), "elements"},
		"enum with an empty element":   {attribute(func(s attr) { s.Type, s.Size, s.Elements = "enum", 0, []string{""} }), "elements"},
		"enum default not in elements": {attribute(func(s attr) { s.Type, s.Size, s.Elements, s.Default = "enum", 0, []string{"a"}, raw(`"b"`) }), "default"},
		"elements of a string":         {attribute(func(s attr) { s.Elements = []string{"a"} }), "elements"},
		"array of points":              {attribute(func(s attr) { s.Type, s.Size, s.Array = "point", 0, true }), "array"},
		"update required with default": {steps.UpdateAttribute{Database: "d", Collection: "c", Key: "k", Required: new(true), Default: raw(`1`)}, "default"},
		"update of no attribute field": {steps.UpdateAttribute{Database: "d", Collection: "c", Key: "k", Type: "string"}, "key"},
		"rename to the same key":       {steps.RenameAttribute{Database: "d", Collection: "c", Key: "k", NewKey: "k"}, "new_key"},
		"rename by case":               {steps.RenameAttribute{Database: "d", Collection: "c", Key: "k", NewKey: "K"}, ""},

		"index":                    {index(func(*steps.CreateIndex) {}), ""},
		"index of system fields":   {index(func(s *steps.CreateIndex) { s.Attributes = []string{"$id", "$updatedAt"} }), ""},
		"index of no field":        {index(func(s *steps.CreateIndex) { s.Attributes = nil }), "attributes"},
		"index of a field twice":   {index(func(s *steps.CreateIndex) { s.Attributes = []string{"a", "a"} }), "attributes"},
		"index of $sequence":       {index(func(s *steps.CreateIndex) { s.Attributes = []string{"$sequence"} }), "attributes"},
		"index of an unknown type": {index(func(s *steps.CreateIndex) { s.Type = "btree" }), "type"},
		"index key reserved":       {index(func(s *steps.CreateIndex) { s.Key = "PRIMARY" }), "key"},
		"index order unknown":      {index(func(s *steps.CreateIndex) { s.Orders = []string{"UP"} }), "orders"},
		"index with extra length":  {index(func(s *steps.CreateIndex) { s.Lengths = []int{1, 2} }), "lengths"},
		"index negative length":    {index(func(s *steps.CreateIndex) { s.Lengths = []int{-1} }), "lengths"},

		"relationship":                 {relationship(func(*steps.CreateRelationship) {}), ""},
		"relationship of unknown kind": {relationship(func(s *steps.CreateRelationship) { s.Type = "many" }), "type"},
		"relationship on delete":       {relationship(func(s *steps.CreateRelationship) { s.OnDelete = "drop" }), "on_delete"},
		"relationship to nothing":      {relationship(func(s *steps.CreateRelationship) { s.Related = "" }), "related"},
		"relationship to itself":       {relationship(func(s *steps.CreateRelationship) { s.Related = "c" }), "two_way_key"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := steps.Validate(c.step)
			var field *steps.FieldError
			switch {
			case c.field == "" && err != nil:
				t.Errorf("error %v, want none", err)
			case c.field != "" && !errors.As(err, &field):
				t.Errorf("error %v, want a FieldError on %s", err, c.field)
			case c.field != "" && (field.Field != c.field || field.Kind != c.step.Kind()):
				t.Errorf("error %v, want one on %s of %s", err, c.field, c.step.Kind())
			}
		})
	}
}

func TestUnknownFieldsAreRefusedByEveryKind(t *testing.T) {
	t.Parallel()
	codec, err := steps.NewCodec(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	schema := slices.DeleteFunc(steps.Kinds(), func(kind string) bool { return kind == "func" })
	for _, kind := range schema {
		if _, err := codec.Decode(raw(`{"kind":"` + kind + `","surprise":1}`)); err == nil || !strings.Contains(err.Error(), "surprise") {
			t.Errorf("%s: %v, want a complaint about the unknown field", kind, err)
		}
	}
}

func TestTombstonesDifferAndFitIntoAKey(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		step := steps.DeleteAttribute{Database: "d", Collection: "c", Key: strings.Repeat("a.b", 12)}
		now, last := step.Split()
		retire, drop := now.(steps.RetireAttribute), last.(steps.DropAttribute)
		if retire.Tombstone != drop.Key || seen[drop.Key] {
			t.Fatalf("tombstones %q and %q", retire.Tombstone, drop.Key)
		}
		seen[drop.Key] = true
		if err := errors.Join(steps.Validate(retire), steps.Validate(drop)); err != nil {
			t.Fatal(err)
		}
	}
}

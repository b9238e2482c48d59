package schema_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
)

func read(text string, opts ...schema.Option) (*schema.File, error) {
	return schema.Read(fstest.MapFS{"appwrite.json": &fstest.MapFile{Data: []byte(text)}}, "appwrite.json", opts...)
}

// inCollection puts attributes and indexes into a file of one collection.
func inCollection(attributes, indexes string) string {
	return fmt.Sprintf(`{"databases":[{"$id":"d","name":"D"}],"collections":[{"$id":"c","databaseId":"d","name":"C","attributes":[%s],"indexes":[%s]}]}`, attributes, indexes)
}

func TestReadTurnsWhatAppwriteRefusesIntoWhatWasMeantAndSaysSo(t *testing.T) {
	t.Parallel()
	text := `{"key":"s","type":"string","size":10}`
	for name, c := range map[string]struct {
		attribute string
		want      schema.Attribute
		notice    string // part of one; "" for none at all
	}{
		"JavaScript's int64":     {`{"key":"k","type":"integer","min":-9223372036854775808,"max":9223372036854776000}`, schema.Attribute{Key: "k", Type: "integer"}, "9223372036854776000 is beyond every integer: no bound"},
		"limits of int64":        {`{"key":"k","type":"integer","min":-9223372036854775808,"max":9223372036854775807}`, schema.Attribute{Key: "k", Type: "integer"}, ""},
		"bound as string":        {`{"key":"k","type":"integer","min":"5","max":""}`, schema.Attribute{Key: "k", Type: "integer", Min: "5"}, `"5" is taken as a number`},
		"fraction for integers":  {`{"key":"k","type":"integer","min":0.5,"max":7.5}`, schema.Attribute{Key: "k", Type: "integer", Min: "1", Max: "7"}, "0.5 is taken as 1, which bounds the same integers"},
		"negative fraction":      {`{"key":"k","type":"integer","min":-0.5}`, schema.Attribute{Key: "k", Type: "integer", Min: "0"}, "-0.5 is taken as 0"},
		"309 digits":             {`{"key":"k","type":"double","min":-` + "17976931348623157" + strings.Repeat("0", 292) + `,"max":1.7976931348623157e+308}`, schema.Attribute{Key: "k", Type: "float"}, ""},
		"beyond every float":     {`{"key":"k","type":"double","max":1e999999999999}`, schema.Attribute{Key: "k", Type: "float"}, "beyond every float: no bound"},
		"whole float":            {`{"key":"k","type":"double","max":1e3,"default":5.0}`, schema.Attribute{Key: "k", Type: "float", Max: "1000", Default: []byte("5")}, ""},
		"bare enum":              {`{"key":"k","type":"enum","elements":["a","b","a"]}`, schema.Attribute{Key: "k", Type: "enum", Elements: []string{"a", "b"}}, `element "a" is given twice`},
		"bare url":               {`{"key":"k","type":"url"}`, schema.Attribute{Key: "k", Type: "url"}, ""},
		"type as a list":         {`{"key":"k","type":"string[]","size":5}`, schema.Attribute{Key: "k", Type: "string", Size: 5, Array: true}, `type "string[]" is taken as string`},
		"type in capitals":       {`{"key":"k","type":"Boolean"}`, schema.Attribute{Key: "k", Type: "boolean"}, `type "Boolean" is taken as boolean`},
		"line string":            {`{"key":"k","type":"linestring"}`, schema.Attribute{Key: "k", Type: "line"}, ""},
		"required with default":  {`{"key":"k","type":"boolean","required":true,"default":false}`, schema.Attribute{Key: "k", Type: "boolean", Default: []byte("false")}, "made optional"},
		"required, default null": {`{"key":"k","type":"boolean","required":true,"default":null}`, schema.Attribute{Key: "k", Type: "boolean", Required: true}, ""},
		"default as string":      {`{"key":"k","type":"integer","default":"7"}`, schema.Attribute{Key: "k", Type: "integer", Default: []byte("7")}, `"7" is taken as a number`},
		"flag as string":         {`{"key":"k","type":"boolean","required":"true"}`, schema.Attribute{Key: "k", Type: "boolean", Required: true}, `"true" is taken as true`},
		"number as text default": {`{"key":"k","type":"string","size":5,"default":12}`, schema.Attribute{Key: "k", Type: "string", Size: 5, Default: []byte(`"12"`)}, "taken as text"},
		"empty default of a url": {`{"key":"k","type":"url","default":""}`, schema.Attribute{Key: "k", Type: "url"}, "an empty default is no url: left out"},
		"empty text default":     {`{"key":"k","type":"string","size":5,"default":""}`, schema.Attribute{Key: "k", Type: "string", Size: 5, Default: []byte(`""`)}, ""},
		"empty list default":     {`{"key":"k","type":"string","size":5,"array":true,"default":[]}`, schema.Attribute{Key: "k", Type: "string", Size: 5, Array: true}, "a list is empty without a default"},
		"size too large":         {`{"key":"k","type":"string","size":99999999999999999999}`, schema.Attribute{Key: "k", Type: "string", Size: 1073741824}, "the largest size"},
		"size as string":         {`{"key":"k","type":"string","size":"36"}`, schema.Attribute{Key: "k", Type: "string", Size: 36}, `"36" is taken as a number`},
		"size of an integer":     {`{"key":"k","type":"integer","size":11}`, schema.Attribute{Key: "k", Type: "integer"}, "have no size: left out"},
		"bounds of a string":     {`{"key":"k","type":"string","size":5,"min":1}`, schema.Attribute{Key: "k", Type: "string", Size: 5}, "means nothing on an attribute of type string"},
		"unknown member":         {`{"key":"k","type":"boolean","description":"x"}`, schema.Attribute{Key: "k", Type: "boolean"}, `attribute has no "description" in Appwrite: left out`},
		"system attributes":      {`{"key":"$id","type":"string","size":36},{"key":"k","type":"boolean"}`, schema.Attribute{Key: "k", Type: "boolean"}, "every document has $id"},
		"failed":                 {`{"key":"k","type":"boolean","status":"failed"}`, schema.Attribute{Key: "k", Type: "boolean"}, "had failed"},
		"twice, the same":        {`{"key":"k","type":"boolean"},{"type":"boolean","key":"k"}`, schema.Attribute{Key: "k", Type: "boolean"}, "defined twice: once is enough"},
		"member twice, the same": {`{"key":"k","type":"boolean","key":"k"}`, schema.Attribute{Key: "k", Type: "boolean"}, "given twice with the same value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := read(inCollection(text+","+c.attribute, ""))
			if err != nil {
				t.Fatal(err)
			}
			got := file.Model.Databases[0].Collections[0].Attributes
			if len(got) != 2 {
				t.Fatalf("%d attributes", len(got))
			}
			if diff := cmp.Diff(c.want, got[1], cmpopts.IgnoreFields(schema.Attribute{}, "At")); diff != "" {
				t.Error(diff)
			}
			notices := fmt.Sprint(file.Notices)
			if c.notice == "" && len(file.Notices) > 0 || !strings.Contains(notices, c.notice) {
				t.Errorf("notices are %s, want %q", notices, c.notice)
			}
		})
	}
}

func TestReadRefusesWhatCannotBeMeantWithPathAndReason(t *testing.T) {
	t.Parallel()
	s := `{"key":"s","type":"string","size":10},{"key":"list","type":"string","size":5,"array":true}`
	for name, c := range map[string]struct{ text, path, reason string }{
		"not JSON":                  {"{\n  \"a\": [1,\n}", "$", "not JSON"},
		"not an object":             {"[]", "$", "project must be an object"},
		"half a file":               {`{"tables": [`, "$.tables", "the file ends too early"},
		"two values":                {`{} {}`, "$", "text after the end"},
		"UTF-16":                    {"\xff\xfe{\x00}\x00", "$", "UTF-16"},
		"an id of the server's":     {`{"databases":[{"$id":"unique()","name":"D"}]}`, "$.databases[0]", "another one every time"},
		"too deep":                  {strings.Repeat("[", 500), "$", "nested more than"},
		"not UTF-8":                 {"{\"a\": \"\xff\"}", "$", "not valid UTF-8"},
		"slip in a top member":      {`{"collection": []}`, "$.collection", `did you mean "collections"?`},
		"list that is none":         {`{"tables": {}}`, "$.tables", "must be a list"},
		"no key":                    {inCollection(`{"type":"boolean"}`, ""), "$.collections[0].attributes[0]", "needs a key"},
		"no type":                   {inCollection(`{"key":"k"}`, ""), "$.collections[0].attributes[0]", "needs a type"},
		"unknown type":              {inCollection(`{"key":"k","type":"strin"}`, ""), "$.collections[0].attributes[0].type", "did you mean string?"},
		"no size":                   {inCollection(`{"key":"k","type":"string"}`, ""), "$.collections[0].attributes[0]", "needs a size"},
		"slip in a member":          {inCollection(`{"key":"k","type":"boolean","requierd":true}`, ""), "$.collections[0].attributes[0].requierd", `did you mean "required"?`},
		"default outside bounds":    {inCollection(`{"key":"k","type":"integer","max":5,"default":6}`, ""), "$.collections[0].attributes[0].default", "outside"},
		"default not an element":    {inCollection(`{"key":"k","type":"enum","elements":["a"],"default":"b"}`, ""), "$.collections[0].attributes[0].default", "not one of the elements"},
		"default too long":          {inCollection(`{"key":"k","type":"string","size":2,"default":"abc"}`, ""), "$.collections[0].attributes[0].default", "longer than the size 2"},
		"default no address":        {inCollection(`{"key":"k","type":"email","default":"me"}`, ""), "$.collections[0].attributes[0].default", "no email address"},
		"default of a list":         {inCollection(`{"key":"k","type":"integer","array":true,"default":[1]}`, ""), "$.collections[0].attributes[0].default", "no default"},
		"min above max":             {inCollection(`{"key":"k","type":"integer","min":6,"max":5}`, ""), "$.collections[0].attributes[0]", "min 6 is above max 5"},
		"no value left":             {inCollection(`{"key":"k","type":"integer","min":99999999999999999999}`, ""), "$.collections[0].attributes[0].min", "leaves no value"},
		"enum of nothing":           {inCollection(`{"key":"k","type":"enum","elements":[]}`, ""), "$.collections[0].attributes[0].elements", "no value at all"},
		"encrypted email":           {inCollection(`{"key":"k","type":"email","encrypt":true}`, ""), "$.collections[0].attributes[0]", "cannot be encrypted"},
		"short encrypted":           {inCollection(`{"key":"k","type":"string","size":149,"encrypt":true}`, ""), "$.collections[0].attributes[0]", "at least 150"},
		"twice, differently":        {inCollection(`{"key":"k","type":"boolean"},{"key":"k","type":"integer"}`, ""), "$.collections[0].attributes[1]", "twice and differently"},
		"letter case":               {inCollection(`{"key":"k","type":"boolean"},{"key":"K","type":"boolean"}`, ""), "$.collections[0].attributes[1]", "letter case"},
		"bad key":                   {inCollection(`{"key":"_k","type":"boolean"}`, ""), "$.collections[0].attributes[0]", "the first a letter or a digit"},
		"index of nothing":          {inCollection(s, `{"key":"i","type":"key","attributes":[]}`), "$.collections[0].indexes[0]", "names no attribute"},
		"index of the unknown":      {inCollection(s, `{"key":"i","type":"key","attributes":["t"]}`), "$.collections[0].indexes[0]", `covers "t", which collection c does not have`},
		"index twice in itself":     {inCollection(s, `{"key":"i","type":"key","attributes":["s","s"]}`), "$.collections[0].indexes[0]", "names s twice"},
		"unknown index type":        {inCollection(s, `{"key":"i","type":"btree","attributes":["s"]}`), "$.collections[0].indexes[0]", "not \"btree\""},
		"unknown order":             {inCollection(s, `{"key":"i","type":"key","attributes":["s"],"orders":["up"]}`), "$.collections[0].indexes[0].orders[0]", "ASC or DESC"},
		"length of a number":        {inCollection(s+`,{"key":"n","type":"integer"}`, `{"key":"i","type":"key","attributes":["n"],"lengths":[11]}`), "$.collections[0].indexes[0]", "a length of 11 does not fit n"},
		"kind of database":          {`{"databases":[{"$id":"d","name":"D","type":"documentsdb"}]}`, "$.databases[0].type", `not "documentsdb"`},
		"slip in what is included":  {`{"includes":{"tabels":"tables.json"}}`, "$.includes.tabels", `did you mean "tables"?`},
		"relationship to no name":   {inCollection(`{"key":"r","type":"relationship","relationType":"oneToOne","twoWay":true,"twoWayKey":"o"}`, ""), "$.collections[0].attributes[0]", "does not say which collection"},
		"fulltext of a list":        {inCollection(s, `{"key":"i","type":"fulltext","attributes":["list"]}`), "$.collections[0].indexes[0]", "list of string"},
		"reserved index key":        {inCollection(s, `{"key":"Primary","type":"key","attributes":["s"]}`), "$.collections[0].indexes[0]", "reserved"},
		"relationship to nowhere":   {inCollection(`{"key":"r","type":"relationship","relatedCollection":"x","relationType":"oneToOne"}`, ""), "$.collections[0].attributes[0]", "which database d does not have"},
		"relationship to a key":     {inCollection(s+`,{"key":"r","type":"relationship","relatedCollection":"c","relationType":"oneToOne","twoWay":true,"twoWayKey":"s"}`, ""), "$.collections[0].attributes[2]", "an attribute of type string"},
		"bad permission":            {`{"tables":[{"$id":"t","databaseId":"d","name":"T","$permissions":["read(any)"],"columns":[]}]}`, "$.tables[0].$permissions[0]", "is no permission"},
		"bad role":                  {`{"tables":[{"$id":"t","databaseId":"d","name":"T","$permissions":["read(\"everybody\")"],"columns":[]}]}`, "$.tables[0].$permissions[0]", "is no permission"},
		"which database":            {`{"databases":[{"$id":"a","name":"A"},{"$id":"b","name":"B"}],"collections":[{"$id":"c","name":"C"}]}`, "$.collections[0]", "which of the 2 databases"},
		"collection twice":          {`{"tables":[{"$id":"t","databaseId":"d","name":"T"},{"$id":"t","databaseId":"d","name":"U"}]}`, "$.tables[1]", "declared twice and differently"},
		"both formats, differently": {`{"tables":[{"$id":"t","databaseId":"d","name":"T"}],"collections":[{"$id":"t","databaseId":"d","name":"T","enabled":false}]}`, "$.tables[0]", "declared twice and differently"},
		"long name":                 {`{"tables":[{"$id":"t","databaseId":"d","name":"` + strings.Repeat("n", 129) + `"}]}`, "$.tables[0]", "129 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := read(c.text)
			var refused *schema.RefusedError
			if !errors.As(err, &refused) || !errors.Is(err, schema.ErrRefused) || file != nil {
				t.Fatalf("error is %v", err)
			}
			found := false
			for _, p := range refused.Problems {
				if p.At.File != "appwrite.json" || p.At.Line < 1 || p.At.Column < 1 {
					t.Errorf("no place: %+v", p)
				}
				found = found || strings.HasPrefix(p.At.Path, c.path) && strings.Contains(p.Reason, c.reason)
			}
			if !found {
				t.Errorf("refused for %v\nwant %s: %s", err, c.path, c.reason)
			}
		})
	}
}

func TestATwoWayRelationshipIsTakenOnceHoweverItIsListed(t *testing.T) {
	t.Parallel()
	side := func(key, related, twoWayKey, side string) string {
		return fmt.Sprintf(`{"key":%q,"type":"relationship","relatedCollection":%q,"relationType":"manyToOne","twoWay":true,"twoWayKey":%q,"onDelete":"cascade","side":%q}`, key, related, twoWayKey, side)
	}
	parent, child := side("author", "people", "books", "parent"), side("books", "books", "author", "child")
	model := func(books, people string) schema.Model {
		file, err := read(`{"collections":[{"$id":"books","databaseId":"d","name":"B","attributes":[` + books + `]},{"$id":"people","databaseId":"d","name":"P","attributes":[` + people + `]}]}`)
		if err != nil {
			t.Fatal(err)
		}
		return file.Model
	}
	want := model(parent, child)
	if n := len(want.Databases[0].Collections[0].Attributes) + len(want.Databases[0].Collections[1].Attributes); n != 1 {
		t.Fatalf("%d relationships", n)
	}
	for name, got := range map[string]schema.Model{
		"only the parent": model(parent, ""), "only the child": model("", child),
		"no sides said": model(strings.Replace(parent, `"parent"`, `""`, 1), strings.Replace(strings.Replace(child, `"child"`, `""`, 1), "manyToOne", "oneToMany", 1)),
	} {
		if diff := schema.Compare(want, got); len(diff) > 0 {
			t.Errorf("%s: %v", name, diff)
		}
	}
	contrary := strings.Replace(child, "cascade", "restrict", 1)
	if _, err := read(`{"collections":[{"$id":"books","databaseId":"d","name":"B","attributes":[` + parent + `]},{"$id":"people","databaseId":"d","name":"P","attributes":[` + contrary + `]}]}`); !errors.Is(err, schema.ErrRefused) || !strings.Contains(err.Error(), "contradict each other") {
		t.Errorf("contradiction: %v", err)
	}
}

func TestReadFollowsIncludesInsideTheProjectOnly(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"p/appwrite.config.json": file(`{"projectId":"p1","includes":{"tables":"./parts/tables.json","functions":"parts/functions.json"},"tablesDB":[{"$id":"d","name":"D"}],"buckets":[{},{}]}`),
		"p/parts/tables.json":    file(`[{"$id":"t","databaseId":"d","name":"T","columns":[{"key":"k","type":"bool"}]}]`),
		"p/parts/functions.json": file(`[{"$id":"f"}]`),
		"p/out.json":             file(`{"includes":{"tables":"../../x.json"}}`),
		"p/gone.json":            file(`{"includes":{"tables":"nothing.json"}}`),
		"p/both.json":            file(`{"includes":{"tables":"parts/tables.json"},"tables":[{"$id":"u","databaseId":"d","name":"U"}]}`),
	}
	got, err := schema.Read(fsys, "p/appwrite.config.json")
	if err != nil {
		t.Fatal(err)
	}
	if got.Project != "p1" || len(got.Model.Databases) != 1 || got.Model.Databases[0].Collections[0].Attributes[0].Type != "boolean" {
		t.Errorf("model is %+v", got.Model)
	}
	if len(got.Notices) != 1 || got.Notices[0].At.File != "p/parts/tables.json" || got.Notices[0].At.Path != "$[0].columns[0].type" {
		t.Errorf("notices are %v", got.Notices)
	}
	if len(got.Unmanaged) != 2 || got.Unmanaged[0].Name != "buckets" || got.Unmanaged[0].Count != 2 || got.Unmanaged[1].Name != "functions" {
		t.Errorf("unmanaged: %+v", got.Unmanaged)
	}
	for name, reason := range map[string]string{
		"p/out.json": "not a path inside", "p/gone.json": "cannot be included", "p/both.json": "is given here and included",
	} {
		if _, err := schema.Read(fsys, name); !errors.Is(err, schema.ErrRefused) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptionsTakeWhatIsRefusedOtherwise(t *testing.T) {
	t.Parallel()
	text := inCollection(`{"key":"s","type":"string"}`, `{"key":"i","type":"key","attributes":[]}`)
	file, err := read(text, schema.WithStringSize(255), schema.WithoutBrokenIndexes())
	if err != nil {
		t.Fatal(err)
	}
	c := file.Model.Databases[0].Collections[0]
	if c.Attributes[0].Size != 255 || len(c.Indexes) != 0 || len(file.Notices) != 2 {
		t.Errorf("%+v, notices %v", c, file.Notices)
	}
	if _, err := read(text, schema.WithStringSize(0)); err == nil {
		t.Error("a size of 0 is taken")
	}
	if _, err := schema.Read(os.DirFS(t.TempDir()), "gone.json"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzRead wants no panic, and of what is accepted that it can be written as a
// migration, read back, and is equal to itself.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", `{"tables":[{"$id":"t","columns":[{"key":"k","type":"double","min":"-1e999","max":1e-5000}]}]}`,
		inCollection(`{"key":"k","type":"enum","elements":[1,true,null]}`, `{"key":"i","type":"key","attributes":["k"],"orders":[null,"desc"],"lengths":["5"]}`),
		inCollection(`{"key":"r","type":"relationship","relatedCollection":"c","relationType":"manyToMany","twoWay":true,"twoWayKey":"r2"}`, ""),
		`{"includes":{"tables":"appwrite.json"},"databases":[{"$id":"d","collections":[{"id":1}]}]}`,
	} {
		f.Add(seed)
	}
	if files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "realworld", "*.json")); len(files) > 0 {
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil && len(data) < 9000 {
				f.Add(string(data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := read(text)
		if err != nil {
			var refused *schema.RefusedError
			if !errors.As(err, &refused) || len(refused.Problems) == 0 {
				t.Fatalf("error without a reason: %v", err)
			}
			return
		}
		if diff := schema.Compare(file.Model, file.Model); len(diff) > 0 {
			t.Fatalf("differs from itself: %v", diff)
		}
		steps := schema.Steps(file.Model)
		if len(steps) == 0 || schema.Check(file.Model, schema.DefaultLimits()) != nil {
			return
		}
		var b strings.Builder
		if err := migrations.Write(&b, "", steps); err != nil {
			t.Fatal(err)
		}
		if _, err := migrations.Parse("20260101000000_import.yaml", []byte(b.String())); err != nil {
			t.Fatalf("made a migration that is none: %v\n%s", err, b.String())
		}
	})
}

package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/backstep-dev/backstep/schema"
)

const cliFile = "appwrite.config.json"

// rewritten gives the file system after a write, and what was written.
func rewritten(t *testing.T, fsys fstest.MapFS, m schema.Model, o schema.WriteOptions) (after fstest.MapFS, written map[string][]byte) {
	t.Helper()
	written, err := schema.Write(fsys, cliFile, m, o)
	if err != nil {
		t.Fatal(err)
	}
	after = maps.Clone(fsys)
	for name, data := range written {
		if !json.Valid(data) {
			t.Fatalf("%s is no JSON:\n%s", name, data)
		}
		after[name] = &fstest.MapFile{Data: data}
	}
	return after, written
}

// says wants a file to say what the model says, and without a doubt.
func says(t *testing.T, fsys fs.FS, m schema.Model, context string) {
	t.Helper()
	file, err := schema.Read(fsys, cliFile)
	if err != nil {
		t.Fatalf("%s: %v", context, err)
	}
	if diff := schema.Compare(m, file.Model); len(diff) > 0 {
		data, _ := fs.ReadFile(fsys, cliFile)
		t.Fatalf("%s: the file says something else: %v\n%s", context, diff, data)
	}
}

func TestAWrittenFileIsReadBackAsTheSameModel(t *testing.T) {
	t.Parallel()
	for seed, m := range taken(t, 120) {
		for _, words := range []schema.Words{schema.Collections, schema.Tables} {
			after, _ := rewritten(t, fstest.MapFS{}, m, schema.WriteOptions{Words: words, Project: "p"})
			says(t, after, m, fmt.Sprintf("seed %d in %s", seed, words))
			file, err := schema.Read(after, cliFile)
			if err != nil || len(file.Notices) > 0 || file.Project != "p" {
				t.Fatalf("seed %d: a written file needs explaining: %v %v", seed, file.Notices, err)
			}
			if _, again := rewritten(t, after, m, schema.WriteOptions{}); len(again) > 0 {
				t.Fatalf("seed %d: what says the same is written again", seed)
			}
		}
	}
}

func TestAnyFileIsTakenToAnyOtherModel(t *testing.T) {
	t.Parallel()
	models := taken(t, 150)
	seeds := slices.Sorted(maps.Keys(models))
	for i, seed := range seeds {
		fsys := fstest.MapFS{cliFile: {Data: []byte(untidy(rand.New(rand.NewPCG(seed, 0))))}}
		for step := 1; step < 4; step++ {
			m := models[seeds[(i+step)%len(seeds)]]
			after, _ := rewritten(t, fsys, m, schema.WriteOptions{})
			says(t, after, m, fmt.Sprintf("seed %d, step %d", seed, step))
			if functions := `"functions": [`; !bytes.Contains(after[cliFile].Data, []byte(functions)) {
				t.Fatalf("seed %d: the functions are gone:\n%s", seed, after[cliFile].Data)
			}
		}
	}
}

func TestRealFilesAreTakenToEachOtherAndKeepTheirForm(t *testing.T) {
	t.Parallel()
	folder := realworld(t)
	names, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	type realFile struct {
		name  string
		data  []byte
		model schema.Model
	}
	var files []realFile
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := schema.Read(fstest.MapFS{cliFile: {Data: data}}, cliFile)
		if errors.Is(err, schema.ErrRefused) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, realFile{filepath.Base(name), data, file.Model})
	}
	for i, a := range files {
		fsys := fstest.MapFS{cliFile: {Data: a.data}}
		if _, again := rewritten(t, fsys, a.model, schema.WriteOptions{}); len(again) > 0 {
			t.Errorf("%s is written though it says the same", a.name)
		}
		b := files[(i+1)%len(files)]
		after, _ := rewritten(t, fsys, b.model, schema.WriteOptions{})
		says(t, after, b.model, a.name+" to "+b.name)
		back, _ := rewritten(t, after, a.model, schema.WriteOptions{})
		says(t, back, a.model, a.name+" and back")
	}
	t.Logf("%d of %d real files, each taken to the next and back", len(files), len(names))
}

const handWritten = `{
  "projectId": "p", "projectName": "Mine",
  "functions": [{"$id": "f",   "runtime": "node-18.0"}],
  "databases": [{"$id": "d", "name": "D", "policies": [{"$id": "nightly"}]}],
  "collections": [
    {"$id": "authors", "databaseId": "d", "name": "Authors", "enabled": true, "documentSecurity": false, "$permissions": [],
     "attributes": [ {"key": "name", "type": "string", "size": 10, "required": true,   "comment": "hers"} ],
     "indexes": []},
    {"$id": "books", "databaseId": "d", "name": "Books", "note": "kept",
      "attributes": [
        { "key":"title", "type":"string", "size":100, "required":true },
        { "key":"year", "type":"integer", "min":0 } ]}
  ],
  "teams": []
}`

func TestAFileKeepsItsWordsItsOrderAndWhatIsNotManaged(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{cliFile: {Data: []byte(handWritten)}}
	file, err := schema.Read(fsys, cliFile)
	if err != nil {
		t.Fatal(err)
	}
	m := file.Model
	books := &m.Databases[0].Collections[1]
	books.Attributes[1].Max = "2100"
	books.Attributes = append(books.Attributes, schema.Attribute{Key: "isbn", Type: "string", Size: 13})
	books.Indexes = []schema.Index{{Key: "by_isbn", Type: "unique", Attributes: []string{"isbn"}}}
	after, _ := rewritten(t, fsys, m, schema.WriteOptions{Words: schema.Tables})
	says(t, after, m, "hand-written file")
	text := string(after[cliFile].Data)
	for _, kept := range []string{
		`"functions": [{"$id": "f",   "runtime": "node-18.0"}]`, `"policies": [{"$id": "nightly"}]`,
		`{"key": "name", "type": "string", "size": 10, "required": true,   "comment": "hers"}`,
		`{ "key":"title", "type":"string", "size":100, "required":true }`, `"note": "kept"`, `"teams": []`, `"projectName": "Mine"`,
	} {
		if !strings.Contains(text, kept) {
			t.Errorf("%s is gone:\n%s", kept, text)
		}
	}
	for _, wrong := range []string{"tables", "columns", "rowSecurity"} {
		if strings.Contains(text, wrong) {
			t.Errorf("a file in collections' words speaks of %s:\n%s", wrong, text)
		}
	}
}

func TestIncludedPartsAreWrittenWhereTheyAre(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		cliFile:            {Data: []byte(`{"includes":{"tables":"db/tables.json"},"tablesDB":[{"$id":"d","name":"D"}],"buckets":[{}]}`)},
		"db/tables.json":   {Data: []byte("[\n\t{\"$id\":\"t\",\"databaseId\":\"d\",\"name\":\"T\"}\n]\n")},
		"unrelated/f.json": {Data: []byte("no JSON")},
	}
	m := schema.Model{Databases: []schema.Database{{ID: "d", Name: "D", Enabled: true, Collections: []schema.Collection{
		{ID: "t", Name: "T", Enabled: true, Attributes: []schema.Attribute{{Key: "a", Type: "boolean"}}},
	}}}}
	after, written := rewritten(t, fsys, m, schema.WriteOptions{})
	says(t, after, m, "included tables")
	if len(written) != 1 || !strings.Contains(string(written["db/tables.json"]), "\n\t\t\"columns\": [") {
		t.Errorf("written: %s", slices.Sorted(maps.Keys(written)))
	}
}

func TestAnEmptyPartIsWrittenAsANewFileIs(t *testing.T) {
	t.Parallel()
	files, err := schema.Write(fstest.MapFS{
		"appwrite.config.json": {Data: []byte(`{"includes":{"tables":"tables.json","tablesDB":"databases.json"}}`)},
		"tables.json":          {Data: []byte("[]")}, "databases.json": {Data: []byte("[\n]\n")},
	}, "appwrite.config.json", library(), schema.WriteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tables.json", "databases.json"} {
		if !bytes.HasPrefix(files[name], []byte("[\n    {\n        \"$id\"")) {
			t.Errorf("%s is\n%.200s", name, files[name])
		}
	}
}

func TestAFileThatIsNotUnderstoodIsNotWritten(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{cliFile: {Data: []byte(`{"tables":[{"$id":"t","databaseId":"d","name":"T","columns":[{"key":"a","type":"strink"}]}]}`)}}
	if _, err := schema.Write(fsys, cliFile, schema.Model{}, schema.WriteOptions{}); !errors.Is(err, schema.ErrRefused) {
		t.Errorf("the error is %v", err)
	}
}

func TestBothEndsOfATwoWayRelationshipAreWrittenAsTheCLIDoes(t *testing.T) {
	t.Parallel()
	m := schema.Model{Databases: []schema.Database{{ID: "d", Name: "D", Enabled: true, Type: "tablesdb", Collections: []schema.Collection{
		{ID: "a", Name: "A", Enabled: true, Attributes: []schema.Attribute{{Key: "bs", Type: "relationship", Relationship: &schema.Relationship{
			Related: "b", Type: "oneToMany", TwoWay: true, TwoWayKey: "a", OnDelete: "cascade",
		}}}},
		{ID: "b", Name: "B", Enabled: true},
	}}}}
	after, _ := rewritten(t, fstest.MapFS{}, m, schema.WriteOptions{})
	says(t, after, m, "a pair")
	var file struct {
		Tables []struct {
			Columns []struct{ Key, RelatedTable, RelationType, Side, TwoWayKey string }
		}
	}
	if err := json.Unmarshal(after[cliFile].Data, &file); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(file.Tables); got != "[{[{bs b oneToMany parent a}]} {[{a a oneToMany child bs}]}]" {
		t.Errorf("the pair is written as %s", got)
	}
}

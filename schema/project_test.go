package schema_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// project is an Appwrite project of its own, or a part of a real one.
type project struct {
	t      *testing.T
	server *livetest.Server
	space  livetest.Space
	client *appwrite.Client
	names  map[string]string // of databases, by the ids that stand for them
}

func newProject(t *testing.T, version string) *project {
	t.Helper()
	server := livetest.Start(t, version)
	client, err := appwrite.New(appwrite.Config{Endpoint: server.Endpoint, Project: server.Project, Key: server.Key},
		appwrite.WithLogger(livetest.Logger(t)))
	if err != nil {
		t.Fatal(err)
	}
	return &project{t: t, server: server, space: livetest.NewSpace(t), client: client, names: map[string]string{}}
}

// placed gives a file's model with the ids that its databases have here, which
// are others than the file's on a real server only.
func (p *project) placed(file *schema.File) *schema.File {
	moved := *file
	moved.Model.Databases = slices.Clone(file.Model.Databases)
	for i, db := range file.Model.Databases {
		id := p.space.ID(db.ID)
		p.names[id] = db.ID
		moved.Model.Databases[i].ID = id
	}
	return &moved
}

func (p *project) historyDatabase() string { return p.space.ID(migrations.DefaultHistoryDatabase) }

// live reads the schema of the project, without the history's.
func (p *project) live() schema.Model {
	p.t.Helper()
	except := []string{p.historyDatabase()}
	databases, err := p.client.ListDatabases(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, d := range databases {
		if !p.space.Holds(d.ID) {
			except = append(except, d.ID)
		}
	}
	model, err := schema.Live(p.t.Context(), p.client, except...)
	if err != nil {
		p.t.Fatal(err)
	}
	// A test beside this one may have added some.
	model.Databases = slices.DeleteFunc(model.Databases, func(d schema.Database) bool { return !p.space.Holds(d.ID) })
	return model
}

// snapshot reads the project, without the history's database, with a client
// that shares nothing with ours. Databases are called what the file calls them.
func (p *project) snapshot() oracle.Snapshot {
	p.t.Helper()
	read, err := p.server.Read(p.t.Context(), p.space)
	if err != nil {
		p.t.Fatal(err)
	}
	s := oracle.Snapshot{}
	for path, object := range read {
		id, rest, _ := strings.Cut(path, "/")
		if id == p.historyDatabase() {
			continue
		}
		if name := p.names[id]; name != id && name != "" {
			path, object = strings.TrimSuffix(name+"/"+rest, "/"), strings.ReplaceAll(object, `"`+id+`"`, `"`+name+`"`)
		}
		s[path] = object
	}
	return s
}

func (p *project) limits() schema.Limits {
	p.t.Helper()
	server, err := p.client.Detect(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return schema.LimitsOf(server)
}

// runner makes a runner with a journal of its own.
func (p *project) runner(list ...*migrations.Migration) *migrations.Runner {
	p.t.Helper()
	set, err := migrations.NewSet(list...)
	if err != nil {
		p.t.Fatal(err)
	}
	codec, err := migrations.NewCodec(p.client, nil, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	store := journaltest.NewMemory()
	p.t.Cleanup(func() { livetest.SearchJournal(p.t, store) })
	e, err := engine.New(store, codec, engine.WithClassifier(steps.Classify), engine.WithQuarantine(0))
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := migrations.NewRunner(set, e, store, p.client, codec,
		migrations.WithHistory(migrations.History{Database: p.historyDatabase()}))
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

package migrations_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// project is an Appwrite project with a journal, as one machine sees it.
type project struct {
	t      *testing.T
	server *livetest.Server
	space  livetest.Space
	client *appwrite.Client
	store  journal.Store
	engine []engine.Option // besides the usual ones
}

// newProject takes the version's server, the latest for "".
func newProject(t *testing.T, version string) *project {
	t.Helper()
	server := livetest.Start(t, version)
	client, err := appwrite.New(appwrite.Config{Endpoint: server.Endpoint, Project: server.Project, Key: server.Key},
		appwrite.WithLogger(livetest.Logger(t)))
	if err != nil {
		t.Fatal(err)
	}
	p := &project{t: t, server: server, space: livetest.NewSpace(t), client: client}
	p.anotherMachine()
	return p
}

// anotherMachine goes on with a journal that is empty.
func (p *project) anotherMachine() {
	store := journaltest.NewMemory()
	p.t.Cleanup(func() { livetest.SearchJournal(p.t, store) })
	p.store = store
}

// historyDatabase is the default, or what stands for it on a real server.
func (p *project) historyDatabase() string { return p.space.ID(migrations.DefaultHistoryDatabase) }

// runner makes a runner of migration files, by their names. Their database is
// shop, or what stands for it on a real server.
func (p *project) runner(files map[string]string, opts ...migrations.RunnerOption) *migrations.Runner {
	p.t.Helper()
	var list []*migrations.Migration
	for name, text := range files {
		m, err := migrations.Parse(name, []byte(strings.ReplaceAll(text, "shop", p.space.ID("shop"))))
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, m)
	}
	return p.runnerOf(list, opts...)
}

func (p *project) runnerOf(list []*migrations.Migration, opts ...migrations.RunnerOption) *migrations.Runner {
	p.t.Helper()
	set, err := migrations.NewSet(list...)
	if err != nil {
		p.t.Fatal(err)
	}
	codec, err := migrations.NewCodec(p.client, set.Funcs(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	e, err := engine.New(p.store, codec, append([]engine.Option{engine.WithClassifier(steps.Classify), engine.WithQuarantine(0)}, p.engine...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	opts = append([]migrations.RunnerOption{
		migrations.WithHistory(migrations.History{Database: p.historyDatabase()}),
		migrations.WithOrigin(migrations.Origin{Environment: "test", Tool: "v1", Journal: "here:/journal"}),
	}, opts...)
	r, err := migrations.NewRunner(set, e, p.store, p.client, codec, opts...)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// snapshot reads the project with a client that shares nothing with ours.
func (p *project) snapshot(pick func(path string) bool) oracle.Snapshot {
	p.t.Helper()
	s, err := p.server.Read(p.t.Context(), p.space)
	if err != nil {
		p.t.Fatal(err)
	}
	maps.DeleteFunc(s, func(path, _ string) bool { return !pick(path) })
	return s
}

// besidesHistory picks what is not in the history's database.
func (p *project) besidesHistory(path string) bool {
	database, _, _ := strings.Cut(path, "/")
	return database != p.historyDatabase()
}

func (p *project) states(r *migrations.Runner) string {
	p.t.Helper()
	status, err := r.Status(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var states []string
	for _, item := range status.Migrations {
		states = append(states, item.Name+" "+string(item.State))
	}
	return strings.Join(states, ", ")
}

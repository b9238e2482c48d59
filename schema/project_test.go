package schema_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// project is an Appwrite project of its own.
type project struct {
	t      *testing.T
	server *appwritetest.Server
	client *appwrite.Client
}

func newProject(t *testing.T, version string) *project {
	t.Helper()
	server := appwritetest.New(t, appwritetest.Version(version))
	client, err := appwrite.New(appwrite.Config{Endpoint: server.Endpoint(), Project: server.Project(), Key: server.Key()})
	if err != nil {
		t.Fatal(err)
	}
	return &project{t: t, server: server, client: client}
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
	e, err := engine.New(store, codec, engine.WithClassifier(steps.Classify), engine.WithQuarantine(0))
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := migrations.NewRunner(set, e, store, p.client, codec)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

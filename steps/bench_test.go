package steps_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/internal/oracle"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/journaltest"
	"github.com/backstep-dev/backstep/steps"
)

// bench is a server with one database, and what steps need to act on it.
type bench struct {
	t                      *testing.T
	endpoint, project, key string
	client                 *appwrite.Client
	store                  *journaltest.Memory
	codec                  *steps.Codec
	database               string
	can                    appwrite.Capabilities
	operations             int
	halfway                bool // steps may find their object half changed
	receipts               journal.Receipts
}

// onEveryVersion runs a test on each release, in a database named shop or, on a
// real server, made up.
func onEveryVersion(t *testing.T, test func(b *bench)) {
	t.Helper()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(newBench(t, version))
		})
	}
}

func newBench(t *testing.T, version string) *bench {
	t.Helper()
	b := &bench{t: t, store: journaltest.NewMemory(), database: livetest.DatabaseID(t)}
	b.endpoint, b.project, b.key = livetest.Target(t, version)
	b.connect()
	b.do(steps.CreateDatabase{ID: b.database, Name: "Shop"})
	return b
}

// connect makes the client and the codec.
func (b *bench) connect() {
	b.t.Helper()
	opts := []appwrite.Option{appwrite.WithLogger(livetest.Logger(b.t))}
	b.t.Cleanup(func() { livetest.SearchJournal(b.t, b.store) })
	var err error
	b.client, err = appwrite.New(appwrite.Config{Endpoint: b.endpoint, Project: b.project, Key: b.key}, opts...)
	if err != nil {
		b.t.Fatalf("client: %v", err)
	}
	if b.codec, err = steps.NewCodec(b.client, nil); err != nil {
		b.t.Fatalf("codec: %v", err)
	}
	server, err := b.client.Detect(b.t.Context())
	if err != nil {
		b.t.Fatalf("detect: %v", err)
	}
	b.can = server.Capabilities
}

// done is one step that has acted.
type done struct {
	step   engine.Step
	before engine.Memento
	after  engine.Observation
}

// site gives the next operation's site.
func (b *bench) site() engine.Site {
	b.operations++
	return engine.Site{
		Run: "run", Operation: fmt.Sprint(b.operations), OnConflict: engine.ConflictHalt,
		Archives: b.store.Archives(), Progress: func(engine.Progress) {},
	}
}

// bound sends a step through the codec, as a journal would, and binds it.
func (b *bench) bound(step engine.Step) engine.Step {
	b.t.Helper()
	data, err := b.codec.Encode(step)
	if err != nil {
		b.t.Fatalf("encode %s: %v", step.Kind(), err)
	}
	again, err := b.codec.Decode(data)
	if err != nil {
		b.t.Fatalf("decode %s: %v", data, err)
	}
	twice, err := b.codec.Encode(again)
	if err != nil || string(twice) != string(data) {
		b.t.Fatalf("%s is not canonical: %s (%v)", data, twice, err)
	}
	return again
}

// do carries steps out one after the other, and checks what Probe says before
// and after.
func (b *bench) do(list ...engine.Step) []done {
	b.t.Helper()
	var all []done
	for _, step := range list {
		d, err := b.try(step, b.site())
		if err != nil {
			b.t.Fatalf("%s %s: %v", step.Kind(), step.Target(), err)
		}
		all = append(all, d)
	}
	return all
}

// try carries out one step.
func (b *bench) try(step engine.Step, site engine.Site) (done, error) {
	b.t.Helper()
	if err := steps.Validate(step); err != nil {
		return done{}, err
	}
	ctx := b.t.Context()
	d := done{step: b.bound(step)}
	var err error
	if d.before, err = d.step.Capture(ctx, site); err != nil {
		return d, err
	}
	ready := []engine.State{engine.StateBefore, engine.StateAfter}
	if b.halfway {
		ready = append(ready, engine.StatePartial)
	}
	if !b.exacting(d.step) {
		b.wantState(d.step, site, d.before, ready...)
	}
	b.sign(d, &site)
	if d.after, err = d.step.Apply(ctx, site, d.before); err != nil {
		return d, err
	}
	if err = d.step.Settle(ctx, site, d.before); err != nil {
		return d, err
	}
	if b.exacting(d.step) {
		return d, nil
	}
	finding := b.wantState(d.step, site, d.before, engine.StateAfter)
	if diff := cmp.Diff(string(d.after), string(finding.After)); diff != "" {
		b.t.Errorf("%s: Apply and Probe observe differently:\n%s", step.Kind(), diff)
	}
	return d, nil
}

// wantState probes.
func (b *bench) wantState(step engine.Step, site engine.Site, memento engine.Memento, states ...engine.State) engine.Finding {
	b.t.Helper()
	finding, err := step.Probe(b.t.Context(), site, memento)
	if err != nil {
		b.t.Fatalf("%s: probe: %v", step.Kind(), err)
	}
	if slices.Contains(states, finding.State) {
		return finding
	}
	b.t.Fatalf("%s %s: probe says %s (%s), want %v", step.Kind(), step.Target(), finding.State, finding.Detail, states)
	return finding
}

// undo carries out the inverse of each step, last first, and returns what was
// done to that end, in order.
func (b *bench) undo(list []done) []done {
	b.t.Helper()
	var all []done
	for _, d := range slices.Backward(list) {
		inverse, err := d.step.Inverse(d.before, d.after)
		if err != nil {
			b.t.Fatalf("%s: inverse: %v", d.step.Kind(), err)
		}
		all = append(all, b.do(inverse...)...)
	}
	return all
}

// split gives the parts of steps that wait, in the order of a run.
func split(list ...engine.Step) []engine.Step {
	var now, last []engine.Step
	for _, step := range list {
		if s, ok := step.(engine.Splitter); ok {
			first, second := s.Split()
			now, last = append(now, first), append(last, second)
			continue
		}
		now = append(now, step)
	}
	return append(now, last...)
}

// state reads the database with a client of its own.
func (b *bench) state() oracle.Snapshot {
	b.t.Helper()
	reader := oracle.Reader{Endpoint: b.endpoint, Project: b.project, Key: b.key}
	s, err := reader.Read(b.t.Context(), func(id string) bool { return id == b.database })
	if err != nil {
		b.t.Fatalf("read state: %v", err)
	}
	nested := regexp.MustCompile(`"\$(createdAt|updatedAt|sequence)":("[^"]*"|\d+),?`)
	for path, object := range s {
		s[path] = nested.ReplaceAllString(object, "") // of related documents, which 1.7 always shows
	}
	return s
}

// wantSame compares two states.
func (b *bench) wantSame(what string, want, have oracle.Snapshot) {
	b.t.Helper()
	if diff := cmp.Diff(map[string]string(want), map[string]string(have)); diff != "" {
		b.t.Errorf("%s (-before +now):\n%s", what, diff)
	}
}

// cycle applies steps, undoes them, undoes the undo and undoes that, and holds
// the state against what it was each time.
func (b *bench) cycle(list ...engine.Step) {
	b.t.Helper()
	before := b.state()
	forward := b.do(list...)
	changed := b.state()
	if cmp.Equal(before, changed) {
		b.t.Fatal("the steps changed nothing")
	}
	back := b.undo(forward)
	b.wantSame("after the undo", before, b.state())
	again := b.undo(back)
	b.wantSame("after undoing the undo", changed, b.state())
	b.undo(again)
	b.wantSame("after the last undo", before, b.state())
}

// wantErr carries out a step that must fail before anything happens.
func (b *bench) wantErr(step engine.Step, want error, words ...string) {
	b.t.Helper()
	before := b.state()
	_, err := b.try(step, b.site())
	if !errors.Is(err, want) {
		b.t.Fatalf("%s: error %v, want %v", step.Kind(), err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			b.t.Errorf("error %q does not mention %q", err, word)
		}
	}
	b.wantSame("after the refusal", before, b.state())
}

// products makes a collection with a title, and documents that have one.
func (b *bench) products(titles ...string) {
	b.t.Helper()
	b.do(
		steps.CreateCollection{Database: b.database, ID: "products", Name: "Products", Permissions: []string{`read("any")`}},
		steps.CreateAttribute{Database: b.database, Collection: "products", Key: "title", Type: "string", Size: 100},
	)
	for i, title := range titles {
		b.document("products", fmt.Sprintf("p%d", i), map[string]any{"title": title})
	}
}

// document makes a document.
func (b *bench) document(collection, id string, data map[string]any) {
	b.t.Helper()
	_, err := b.client.CreateDocument(b.t.Context(), b.database, collection, appwrite.Document{
		ID: id, Data: data, Permissions: []string{`read("any")`},
	})
	if err != nil {
		b.t.Fatalf("create document %s: %v", id, err)
	}
}

// attribute reads an attribute.
func (b *bench) attribute(collection, key string) appwrite.Attribute {
	b.t.Helper()
	a, err := b.client.FindAttribute(b.t.Context(), b.database, collection, key)
	if err != nil {
		b.t.Fatalf("find attribute %s: %v", key, err)
	}
	return a
}

// value reads one field of a document.
func (b *bench) value(collection, id, key string) any {
	b.t.Helper()
	d, err := b.client.FindDocument(b.t.Context(), b.database, collection, id)
	if err != nil {
		b.t.Fatalf("find document %s: %v", id, err)
	}
	return d.Data[key]
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

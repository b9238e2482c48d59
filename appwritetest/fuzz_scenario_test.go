package appwritetest_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/appwritetest/internal/replay"
)

// FuzzScenario plays a recording that the seed chooses, and before each of its
// requests some that differ in one member or value.
func FuzzScenario(f *testing.F) {
	recordings, err := replay.Load(filepath.Join("..", "testdata", "recordings"))
	if err != nil {
		f.Fatal(err)
	}
	for seed := range uint64(40) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		m := mutator{rand.New(rand.NewPCG(seed, seed))}
		rec := recordings[m.IntN(len(recordings))]
		srv := appwritetest.New(t, appwritetest.Version(rec.Version))
		for _, exchange := range rec.Exchanges {
			request := exchange.Request
			for range 3 {
				serveOne(t, srv, request.Method, request.Path, "application/json", m.mutated(request.Body))
			}
			serveOne(t, srv, request.Method, request.Path, "application/json", string(request.Body))
		}
		if err := srv.Worker().Idle(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// mutator replaces parts of JSON by what nobody expects there.
type mutator struct{ *rand.Rand }

// mutated changes JSON text somewhere.
func (m mutator) mutated(text []byte) string {
	var value any
	if json.Unmarshal(text, &value) != nil {
		return string(text)
	}
	changed, err := json.Marshal(m.change(value))
	if err != nil {
		return string(text)
	}
	return string(changed)
}

func (m mutator) change(value any) any {
	const replaceOneIn = 5
	switch value := value.(type) {
	case object:
		if len(value) == 0 || m.IntN(replaceOneIn) == 0 {
			return m.odd()
		}
		value = maps.Clone(value)
		name := m.pick(slices.Sorted(maps.Keys(value)))
		switch m.IntN(replaceOneIn) {
		case 0:
			delete(value, name)
		case 1:
			value[m.pick([]string{"", "$id", "$permissions", "$updatedAt", "transactionId", "queries", "default", "array", "data"})] = m.odd()
		default:
			value[name] = m.change(value[name])
		}
		return value
	case list:
		if len(value) == 0 || m.IntN(replaceOneIn) == 0 {
			return m.odd()
		}
		value = slices.Clone(value)
		i := m.IntN(len(value))
		value[i] = m.change(value[i])
		return value
	case string:
		if strings.HasPrefix(value, "{") { // a query, or data as text
			return m.mutated([]byte(value))
		}
	}
	return m.odd()
}

func (m mutator) pick(names []string) string { return names[m.IntN(len(names))] }

func (m mutator) odd() any {
	values := list{
		nil, true, 0, -1, 1.5, 1e300, int64(1) << 62,
		"", "x", "$id", "unique()", "2020-13-45", "<id:1>", strings.Repeat("é", 300),
		list{},
		list{nil},
		list{list{}},
		list{1, "a"},
		list{list{1, 2}, list{3}},
		object{},
		object{"$id": list{}},
		object{"method": "increment", "values": list{}},
		object{"method": "arrayInsert", "values": list{99, object{}}},
	}
	return values[m.IntN(len(values))]
}

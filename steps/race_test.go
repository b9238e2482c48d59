package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// overtaken binds a step so that somebody else gets in between its last look at
// the document and its first write.
func (b *bench) overtaken(step engine.Step, other func()) engine.Step {
	b.t.Helper()
	var once sync.Once
	client, err := b.client.With(appwrite.WithGuard(func(context.Context) error {
		once.Do(other)
		return nil
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return steps.Bind(client, []engine.Step{step})[0]
}

// TestWriterThatGetsInBetweenIsSpared holds where the server can compare and
// set; 1.7 cannot.
func TestWriterThatGetsInBetweenIsSpared(t *testing.T) {
	t.Parallel()
	onEveryVersion(t, func(b *bench) {
		if b.can.CAS == appwrite.CASNone {
			b.t.Skip("this server cannot compare and set")
		}
		b.wares()
		b.do(b.create("ware", map[string]any{"title": "A", "count": 1}))
		for _, c := range []struct {
			name  string
			step  engine.Step
			other map[string]any
			spare bool // the step has to give way
		}{
			{"the same field", b.update("ware", map[string]any{"title": "B"}), map[string]any{"title": "theirs"}, true},
			{"another field", b.update("ware", map[string]any{"title": "B"}), map[string]any{"count": 2}, false},
			{"null under a default", b.update("ware", map[string]any{"state": nil}), map[string]any{"state": "theirs"}, true},
			{"a deletion", b.remove("ware"), map[string]any{"count": 3}, true},
		} {
			step := b.overtaken(c.step, func() { b.other("ware", c.other) })
			site := b.site()
			memento, err := step.Capture(b.t.Context(), site)
			if err != nil {
				b.t.Fatalf("%s: %v", c.name, err)
			}
			_, err = step.Apply(b.t.Context(), site, memento)
			if c.spare && !errors.Is(err, engine.ErrForeign) || !c.spare && err != nil {
				b.t.Errorf("%s: %v", c.name, err)
			}
			for key, want := range c.other {
				if got := b.value("wares", "ware", key); !equalJSON(got, want) {
					b.t.Errorf("%s: somebody else's %s is %v, not %v", c.name, key, got, want)
				}
			}
		}
	})
}

// equalJSON compares values as JSON.
func equalJSON(a, b any) bool {
	return string(jsonText(a)) == string(jsonText(b))
}

func jsonText(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

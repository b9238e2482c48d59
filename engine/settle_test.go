package engine_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/backstep-dev/backstep/engine"
)

// settling is a step that settles by making a scratch object and removing it,
// as one does that waits for a queue to pass.
type settling struct{ step }

func (s settling) Settle(ctx context.Context, site engine.Site, _ engine.Memento) error {
	for _, value := range []string{"", "here", ""} {
		if err := s.world.write(ctx, site, "scratch", func() { s.world.put("scratch", value) }); err != nil {
			return err
		}
	}
	return nil
}

// put changes an object while the world is locked.
func (w *world) put(key, value string) {
	delete(w.objects, key)
	if value != "" {
		w.objects[key] = value
	}
}

// settlingCodec makes every step settle like that.
type settlingCodec struct{ codec }

func (c settlingCodec) Encode(s engine.Step) (json.RawMessage, error) {
	if s, ok := s.(settling); ok {
		return c.codec.Encode(s.step)
	}
	return c.codec.Encode(s)
}

func (c settlingCodec) Decode(data json.RawMessage) (engine.Step, error) {
	s, err := c.codec.Decode(data)
	if err != nil {
		return nil, err
	}
	return settling{s.(step)}, nil
}

func newSettlingEngine(t *testing.T, w *world) *engine.Engine {
	t.Helper()
	watch := func(ctx context.Context) (context.Context, func() bool) {
		w.mu.Lock()
		defer w.mu.Unlock()
		before := len(w.effects)
		return ctx, func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.effects) > before
		}
	}
	e, err := engine.New(w.store, settlingCodec{codec{w}},
		engine.WithClock(w.clock), engine.WithClassifier(classify), engine.WithQuarantine(quarantine), engine.WithWatch(watch))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestALateRequestOfSettlingIsOutlived(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = func(_ string, n int) fault {
		if n == 3 { // the scratch object's creation
			return hold
		}
		return none
	}
	report, err := newSettlingEngine(t, w).Run(t.Context(), engine.Request{Run: run, Plan: planOf(t, set("n", "6"))})
	if err != nil || report.Outcome != engine.OutcomeApplied {
		t.Fatalf("outcome %s, error %v", report.Outcome, err)
	}
	w.arrive()
	wantWorld(t, w, map[string]string{"n": "6"})
}

func TestALateRequestOfACrashedSettlingIsOutlived(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"n": "5"})
	w.fails = func(_ string, n int) fault {
		if n == 3 {
			w.late = append(w.late, func() { w.set("scratch", "late") })
			panic(crash{"settling"})
		}
		return none
	}
	request := engine.Request{Run: run, Plan: planOf(t, set("n", "6"))}
	if crashing(func() { _, _ = newSettlingEngine(t, w).Run(t.Context(), request) }) == nil {
		t.Fatal("it did not crash")
	}
	w.fails = nil
	report, err := newSettlingEngine(t, w).Resume(t.Context(), run)
	if err != nil || report.Outcome != engine.OutcomeApplied {
		t.Fatalf("outcome %s, error %v", report.Outcome, err)
	}
	w.arrive()
	wantWorld(t, w, map[string]string{"n": "6"})
}

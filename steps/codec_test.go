package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// saboteurOf is a function that lets others act and then fails.
func saboteurOf(others func()) steps.Func {
	return steps.Func{
		Name: "saboteur", Version: "1",
		Do: func(context.Context, client.Client) error {
			others()
			return errors.New("always")
		},
		Undo:  func(context.Context, client.Client) error { return nil },
		Probe: func(context.Context, client.Client) (engine.State, error) { return engine.StateBefore, nil },
	}
}

func codec(t *testing.T, funcs ...steps.Func) *steps.Codec {
	t.Helper()
	c, err := steps.NewCodec(nil, funcs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodecRefusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	c := codec(t, saboteurOf(func() {}))
	for name, data := range map[string]string{
		"no JSON":            `{`,
		"no object":          `[]`,
		"no kind":            `{"database":"shop"}`,
		"unknown kind":       `{"kind":"explode"}`,
		"unknown field":      `{"kind":"delete_document","database":"d","collection":"c","id":"i","force":true}`,
		"wrong type":         `{"kind":"delete_document","database":5,"collection":"c","id":"i"}`,
		"missing field":      `{"kind":"delete_document","database":"d","collection":"c"}`,
		"nonsense":           `{"kind":"increment","database":"d","collection":"c","id":"i","attribute":"n","by":0,"allow_race":true}`,
		"more behind it":     `{"kind":"delete_document","database":"d","collection":"c","id":"i"} {}`,
		"unknown function":   `{"kind":"func","name":"hero","version":"1"}`,
		"another version":    `{"kind":"func","name":"saboteur","version":"2"}`,
		"unknown retry word": `{"kind":"delete_document","database":"d","collection":"c","id":"i","retry":{"tries":3}}`,
		"negative retry":     `{"kind":"delete_document","database":"d","collection":"c","id":"i","retry":{"budget":"-3s"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if step, err := c.Decode(json.RawMessage(data)); err == nil {
				t.Errorf("%s is taken for %+v", data, step)
			}
		})
	}
	if _, err := c.Decode(json.RawMessage(`{"kind":"explode"}`)); !errors.Is(err, steps.ErrUnknownKind) {
		t.Errorf("an unknown kind: %v", err)
	}
	if _, err := c.Decode(json.RawMessage(`{"kind":"func","name":"saboteur","version":"2"}`)); !errors.Is(err, steps.ErrUnknownFunc) {
		t.Errorf("a function of another version: %v", err)
	}
	if _, err := steps.NewCodec(nil, []steps.Func{saboteurOf(nil), saboteurOf(nil)}); err == nil {
		t.Error("the same function is taken twice")
	}
}

func TestCodecWritesOneFormForOneMeaning(t *testing.T) {
	t.Parallel()
	c := codec(t)
	step, err := c.Decode(json.RawMessage(` { "id":"i", "retry":{"attempts":3,"budget":"90s"},
		"data":{"b":1.50,"a":9007199254740993}, "kind":"create_document", "database":"d", "collection":"c" } `))
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.Encode(step)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"collection":"c","data":{"a":9007199254740993,"b":1.50},"database":"d","id":"i",` +
		`"kind":"create_document","retry":{"attempts":3,"budget":"1m30s"}}`
	if string(data) != want {
		t.Errorf("encoded as\n%s, want\n%s", data, want)
	}
	budgeted, ok := step.(engine.Budgeted)
	if !ok || budgeted.Retry().Attempts != 3 || budgeted.Retry().Budget.Seconds() != 90 {
		t.Errorf("the retry policy is lost: %+v", step)
	}
}

func TestRetryPolicyFollowsAStepIntoItsParts(t *testing.T) {
	t.Parallel()
	step, err := steps.WithRetry(steps.DeleteAttribute{Database: "d", Collection: "c", Key: "k"}, steps.Retry{Attempts: 7})
	if err != nil {
		t.Fatal(err)
	}
	splitter, ok := step.(engine.Splitter)
	if !ok {
		t.Fatal("a step that splits does not split any more")
	}
	now, last := splitter.Split()
	for _, part := range []engine.Step{now, last} {
		if b, ok := part.(engine.Budgeted); !ok || b.Retry().Attempts != 7 {
			t.Errorf("%s has lost the policy", part.Kind())
		}
	}
	if _, splits := now.(engine.Splitter); splits {
		t.Error("the first part splits again")
	}
}

func TestQueriesAreReadFromTextAndFromObjects(t *testing.T) {
	t.Parallel()
	c := codec(t)
	for _, where := range []string{
		`["{\"method\":\"equal\",\"attribute\":\"n\",\"values\":[1]}"]`,
		`[{"method":"equal","attribute":"n","values":[1]}]`,
	} {
		step, err := c.Decode(json.RawMessage(`{"kind":"assert","database":"d","collection":"c","empty":true,"where":` + where + `}`))
		if err != nil {
			t.Fatal(err)
		}
		data, err := c.Encode(step)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"collection":"c","database":"d","empty":true,"kind":"assert","where":[{"attribute":"n","method":"equal","values":[1]}]}`
		if string(data) != want {
			t.Errorf("encoded as %s", data)
		}
	}
}

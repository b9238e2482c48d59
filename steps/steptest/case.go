package steptest

import (
	"context"
	"errors"
	"testing"

	"github.com/appwrite/sdk-for-go/client"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// Case is one step to try. All its functions are given the id of a database that
// the case may use as it likes.
type Case struct {
	// Name tells the case from others: the kind, and what is special about it.
	Name string
	// Setup gives the steps that make what has to be there before.
	Setup func(database string) []engine.Step
	// Steps gives what is tried, usually one step.
	Steps func(database string) []engine.Step
	// Only says where the case makes sense; nil is everywhere.
	Only func(appwrite.Capabilities) bool
	// Foreign is what somebody else does to the object after the step. Nil
	// means that there is nothing which the undo would have to respect.
	Foreign func(ctx context.Context, sdk *appwrite.Client, database string) error
	// Merged checks what an undo that merges must leave of that; nil checks nothing.
	Merged func(t testing.TB, state State)
	// Funcs are the functions that the steps name.
	Funcs func(database string) []steps.Func
	// Unproven says that nothing on the server shows whether the step has
	// acted, so that a lost answer halts the run.
	Unproven bool
	// Irreversible says that the step has no undo.
	Irreversible bool
}

// Stage is the server that cases run on.
type Stage struct {
	Endpoint, Project, Key string
}

// errSabotage is the failure of a step that always fails.
var errSabotage = errors.New("steptest: this step always fails")

// saboteur is a step that lets somebody else act and then fails, so that the
// run goes back.
func saboteur(act func(ctx context.Context) error) steps.Func {
	return steps.Func{
		Name: "saboteur", Version: "1",
		Do: func(ctx context.Context, _ client.Client) error {
			if err := act(ctx); err != nil {
				return err
			}
			return errSabotage
		},
		Undo:  func(context.Context, client.Client) error { return nil },
		Probe: func(context.Context, client.Client) (engine.State, error) { return engine.StateBefore, nil },
	}
}

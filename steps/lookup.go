package steps

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

func databaseRef(id string) engine.Ref { return engine.Ref{Type: "database", Database: id} }

func collectionRef(database, id string) engine.Ref {
	return engine.Ref{Type: "collection", Database: database, Collection: id}
}

func attributeRef(database, collection, key string) engine.Ref {
	return engine.Ref{Type: "attribute", Database: database, Collection: collection, Key: key}
}

func relationshipRef(database, collection, key string) engine.Ref {
	return engine.Ref{Type: "relationship", Database: database, Collection: collection, Key: key}
}

func indexRef(database, collection, key string) engine.Ref {
	return engine.Ref{Type: "index", Database: database, Collection: collection, Key: key}
}

// unlessAbsent forgives that something is not there. What differs from the key
// only by case counts as there: the server would not create the two side by side.
func unlessAbsent(err error, target engine.Ref) error {
	var twin *appwrite.TwinError
	switch {
	case errors.As(err, &twin):
		return stopped(target, ErrExists, "as %q, which the server takes for the same", twin.Stored)
	case errors.Is(err, appwrite.ErrContainerNotFound):
		return &StepError{Target: target, Reason: "what should contain it is not there", Err: fmt.Errorf("%w: %w", ErrMissing, err)}
	case errors.Is(err, appwrite.ErrNotFound):
		return nil
	default:
		return err
	}
}

// taken reports whether the server refused a creation because the id or key exists.
func taken(err error) bool { return errors.Is(err, appwrite.ErrExists) }

// findDatabase reads a database by list.
func findDatabase(ctx context.Context, client *appwrite.Client, id string) (DatabaseImage, bool, error) {
	live, err := client.FindDatabase(ctx, id)
	if err != nil {
		err = unlessAbsent(err, databaseRef(id))
		return DatabaseImage{}, false, err
	}
	return imageOfDatabase(live), true, nil
}

// findCollection reads a collection by list.
func findCollection(ctx context.Context, client *appwrite.Client, database, id string) (CollectionImage, bool, error) {
	live, err := client.FindCollection(ctx, database, id)
	if err != nil {
		err = unlessAbsent(err, collectionRef(database, id))
		return CollectionImage{}, false, err
	}
	return imageOfCollection(live), true, nil
}

// findAttribute reads an attribute or relationship by list.
func findAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref) (appwrite.Attribute, bool, error) {
	live, err := client.FindAttribute(ctx, ref.Database, ref.Collection, ref.Key)
	if err != nil {
		err = unlessAbsent(err, ref)
		return appwrite.Attribute{}, false, err
	}
	return live, true, nil
}

// findIndex reads an index by list.
func findIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) (appwrite.Index, bool, error) {
	live, err := client.FindIndex(ctx, ref.Database, ref.Collection, ref.Key)
	if err != nil {
		err = unlessAbsent(err, ref)
		return appwrite.Index{}, false, err
	}
	return live, true, nil
}

// findLastingIndex is findIndex for what is to be made anew: an index that is
// being removed is waited for. The request for that may have come late, from a
// run that is being undone.
func findLastingIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) (appwrite.Index, bool, error) {
	live, found, err := findIndex(ctx, client, ref)
	if err != nil || !found || live.Status != appwrite.StatusDeleting {
		return live, found, err
	}
	gone := client.WaitGone(ctx, ref.Database, []appwrite.Awaited{{Collection: ref.Collection, Index: ref.Key}})
	if err := neverIsFine(ctx, gone); err != nil {
		return live, false, err
	}
	return findIndex(ctx, client, ref)
}

// absent is the memento of a step that found nothing.
func absent() (engine.Memento, error) { return encode(struct{}{}) }

// untouched is the finding that the step has not acted.
func untouched() (engine.Finding, error) { return engine.Finding{State: engine.StateBefore}, nil }

// foundAfter is the finding that the step has acted, with what was read.
func foundAfter(live any) (engine.Finding, error) {
	observed, err := encode(live)
	return engine.Finding{State: engine.StateAfter, After: observed}, err
}

// partial is the finding that the step has begun.
func partial(format string, args ...any) (engine.Finding, error) {
	return engine.Finding{State: engine.StatePartial, Detail: fmt.Sprintf(format, args...)}, nil
}

// foreign is the finding that somebody else has been here.
func foreign(format string, args ...any) (engine.Finding, error) {
	return engine.Finding{State: engine.StateForeign, Detail: fmt.Sprintf(format, args...)}, nil
}

// lost turns the error of a read whose container is gone into a foreign finding.
func lost(err error) (engine.Finding, error) {
	if errors.Is(err, ErrMissing) || errors.Is(err, ErrExists) {
		return foreign("%v", err)
	}
	return engine.Finding{}, err
}

// differences names the fields in which two images differ.
func differences(want, have any) string {
	x, errX := fields(want)
	y, errY := fields(have)
	if errX != nil || errY != nil {
		return "cannot be compared"
	}
	var parts []string
	for _, name := range union(x, y) {
		if !same(x[name], y[name]) {
			parts = append(parts, fmt.Sprintf("%s is %s, not %s", name, shown(y[name]), shown(x[name])))
		}
	}
	return strings.Join(parts, "; ")
}

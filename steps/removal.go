package steps

import (
	"context"
	"errors"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// The server's worker carries out every removal that it was asked for, one
// after the other. The second of two takes away what has been made under the
// same key since the first. So none is asked for that is under way, and none of
// what is still being made: the server does not mark that as going.

// deleteAttribute asks for the removal of an attribute or relationship, unless
// it is not there or on its way out.
func deleteAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	live, found, err := findAttribute(ctx, client, ref)
	if err != nil || !found || live.Status == appwrite.StatusDeleting {
		return err
	}
	return notFoundIsFine(client.DeleteAttribute(ctx, ref.Database, ref.Collection, ref.Key))
}

// deleteIndex is deleteAttribute for an index.
func deleteIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	live, found, err := findIndex(ctx, client, ref)
	if err != nil || !found || live.Status == appwrite.StatusDeleting {
		return err
	}
	return notFoundIsFine(client.DeleteIndex(ctx, ref.Database, ref.Collection, ref.Key))
}

// awaitMade waits until the worker is done with what is being made, whether it
// could make it or not.
func awaitMade(ctx context.Context, client *appwrite.Client, database string, made appwrite.Awaited) error {
	return neverIsFine(ctx, client.WaitAvailable(ctx, database, []appwrite.Awaited{made}))
}

// neverIsFine forgives a wait that has ended because what was waited for will
// not come.
func neverIsFine(ctx context.Context, err error) error {
	var never *appwrite.StatusError
	if ctx.Err() == nil && errors.As(err, &never) {
		return nil
	}
	return err
}

// findMadeAttribute is findAttribute for what is to be removed: one that is
// still being made is waited for.
func findMadeAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref) (appwrite.Attribute, bool, error) {
	live, found, err := findAttribute(ctx, client, ref)
	if err != nil || !found || live.Status != appwrite.StatusProcessing {
		return live, found, err
	}
	if err := awaitMade(ctx, client, ref.Database, appwrite.Awaited{Collection: ref.Collection, Attribute: ref.Key}); err != nil {
		return live, false, err
	}
	return findAttribute(ctx, client, ref)
}

// findMadeIndex is findMadeAttribute for an index.
func findMadeIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) (appwrite.Index, bool, error) {
	live, found, err := findIndex(ctx, client, ref)
	if err != nil || !found || live.Status != appwrite.StatusProcessing {
		return live, found, err
	}
	if err := awaitMade(ctx, client, ref.Database, appwrite.Awaited{Collection: ref.Collection, Index: ref.Key}); err != nil {
		return live, false, err
	}
	return findIndex(ctx, client, ref)
}

package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// passWorker waits until the server's worker has done everything that was asked
// of it before. Until then the purge of a deleted collection can still reach
// what is made anew under its id. The worker takes jobs in order, so an
// attribute that has become available in a scratch collection is the proof. The
// scratch collection is named for the deleted one, so that whoever brings that
// one back also removes what a crash has left of the barrier.
func passWorker(ctx context.Context, client *appwrite.Client, deleted engine.Ref) error {
	database, sum := deleted.Database, sha256.Sum256([]byte(deleted.Collection))
	id := "backstep_barrier_" + hex.EncodeToString(sum[:8])
	if err := notFoundIsFine(client.DeleteCollection(ctx, database, id)); err != nil {
		return err
	}
	_, err := client.CreateCollection(ctx, database, appwrite.Collection{ID: id, Name: "Backstep: waiting for the worker"})
	if err != nil && !taken(err) {
		return err
	}
	ref := attributeRef(database, id, "passed")
	image := AttributeImage{Key: ref.Key, Type: appwrite.TypeBoolean}
	if err := makeAttribute(ctx, client, ref, image, true); err != nil {
		return err
	}
	if err := settleAttribute(ctx, client, ref, image); err != nil {
		return err
	}
	return notFoundIsFine(client.DeleteCollection(ctx, database, id))
}

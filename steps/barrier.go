package steps

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Until the server's worker has purged a deleted collection, it can still reach
// what is made anew under the same id. The worker takes jobs in order: an
// attribute that has become available proves that everything asked for before
// it is done.

// passWorker waits for the purge of a deleted collection, by an attribute in a
// scratch collection. That one is named for the deleted one, so that whoever
// brings the deleted one back can remove what a crash has left.
func passWorker(ctx context.Context, client *appwrite.Client, deleted engine.Ref) error {
	if err := removeBarrier(ctx, client, deleted); err != nil {
		return err
	}
	scratch := appwrite.Collection{ID: barrierID(deleted), Name: "Backstep: waiting for the worker"}
	if _, err := client.CreateCollection(ctx, deleted.Database, scratch); err != nil && !taken(err) {
		return err
	}
	if err := passIn(ctx, client, deleted.Database, scratch.ID); err != nil {
		return err
	}
	return removeBarrier(ctx, client, deleted)
}

// removeBarrier removes the scratch collection, if there is one.
func removeBarrier(ctx context.Context, client *appwrite.Client, deleted engine.Ref) error {
	return notFoundIsFine(client.DeleteCollection(ctx, deleted.Database, barrierID(deleted)))
}

func barrierID(deleted engine.Ref) string {
	sum := sha256.Sum256([]byte(deleted.Collection))
	return "backstep_barrier_" + hex.EncodeToString(sum[:8])
}

// passIn makes a scratch attribute, waits for it and removes it.
func passIn(ctx context.Context, client *appwrite.Client, database, collection string) error {
	ref := attributeRef(database, collection, "backstep_barrier")
	image := AttributeImage{Key: ref.Key, Type: appwrite.TypeBoolean}
	if err := makeAttribute(ctx, client, ref, image, true); err != nil {
		return err
	}
	if err := settleAttribute(ctx, client, ref, image); err != nil {
		return err
	}
	return removeAttribute(ctx, client, ref)
}

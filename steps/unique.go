package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
)

// Twins finds documents that a unique index should not have let in, as a server
// does that takes an index over duplicates for available (1.9). It gives the
// first few ids and how many documents repeat a value. It reads the indexed
// attributes of the whole collection.
func Twins(ctx context.Context, client *appwrite.Client, database, collection string, index appwrite.Index) (ids []string, repeated int64, err error) {
	found, err := findTwins(ctx, client, indexRef(database, collection, index.Key), imageOfIndex(index))
	return found.First, found.Count, err
}

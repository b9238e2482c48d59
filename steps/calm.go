package steps

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
)

// calm waits for the worker to be done with what it is still making in a
// collection, for instance because of a late request of a process that was
// killed: an archive would lack it, and what it lacks would look written since;
// and what is removed and asked for again while it is being made can fail.
// What never gets available is passed over.
func calm(ctx context.Context, client *appwrite.Client, database, id string) error {
	attributes, err := client.ListAttributes(ctx, database, id)
	if err != nil {
		return notFoundIsFine(err)
	}
	indexes, err := client.ListIndexes(ctx, database, id)
	if err != nil {
		return notFoundIsFine(err)
	}
	var making []appwrite.Awaited
	for _, attribute := range attributes {
		if attribute.Status == appwrite.StatusProcessing {
			making = append(making, appwrite.Awaited{Collection: id, Attribute: attribute.Key})
		}
	}
	for _, index := range indexes {
		if index.Status == appwrite.StatusProcessing {
			making = append(making, appwrite.Awaited{Collection: id, Index: index.Key})
		}
	}
	for _, one := range making {
		if err := awaitMade(ctx, client, database, one); err != nil {
			return err
		}
	}
	return nil
}

package steps

import (
	"context"
	"errors"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// recreations bounds how often an attribute or index that the server's worker
// could not make, or lost, is removed and asked for again.
const recreations = 3

// makeAttribute asks for an attribute. One that is there already is adopted
// when mine says that it may be this step's own; one that failed goes first.
func makeAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref, image AttributeImage, mine bool) error {
	_, err := client.CreateAttribute(ctx, ref.Database, ref.Collection, image.attribute())
	if err == nil || !taken(err) {
		return err
	}
	live, found, findErr := findAttribute(ctx, client, ref)
	switch {
	case findErr != nil:
		return findErr
	case !found:
		return err
	case !mine || live.Relationship != nil || !same(image, imageOfAttribute(live)):
		return stopped(ref, engine.ErrForeign, "an attribute of this key appeared meanwhile")
	case live.Status == appwrite.StatusAvailable || live.Status == appwrite.StatusProcessing:
		return nil
	}
	if err := removeAttribute(ctx, client, ref); err != nil {
		return err
	}
	_, err = client.CreateAttribute(ctx, ref.Database, ref.Collection, image.attribute())
	return err
}

// settleAttribute waits until an attribute is available, and makes it anew when
// the worker failed or lost it.
func settleAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref, image AttributeImage) error {
	return settle(ctx, func() error {
		return client.WaitAvailable(ctx, ref.Database, []appwrite.Awaited{{Collection: ref.Collection, Attribute: ref.Key}})
	}, func(gone bool) error {
		if !gone {
			if err := removeAttribute(ctx, client, ref); err != nil {
				return err
			}
		}
		_, err := client.CreateAttribute(ctx, ref.Database, ref.Collection, image.attribute())
		return err
	})
}

// settleIndex is settleAttribute for an index. anew says whether making it
// again can help.
func settleIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref, image IndexImage, anew func() error) error {
	return settle(ctx, func() error {
		return client.WaitAvailable(ctx, ref.Database, []appwrite.Awaited{{Collection: ref.Collection, Index: ref.Key}})
	}, func(gone bool) error {
		if err := anew(); err != nil {
			return err
		}
		if !gone {
			if err := removeIndex(ctx, client, ref); err != nil {
				return err
			}
		}
		_, err := client.CreateIndex(ctx, ref.Database, ref.Collection, image.index())
		return err
	})
}

// removeAttribute deletes an attribute and waits until it is gone.
func removeAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	if err := deleteAttribute(ctx, client, ref); err != nil {
		return err
	}
	return awaitNoAttribute(ctx, client, ref)
}

// removeIndex deletes an index and waits until it is gone.
func removeIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	if err := deleteIndex(ctx, client, ref); err != nil {
		return err
	}
	return awaitNoIndex(ctx, client, ref)
}

// awaitNoIndex is awaitNoAttribute for an index.
func awaitNoIndex(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	return settle(ctx, func() error {
		return client.WaitGone(ctx, ref.Database, []appwrite.Awaited{{Collection: ref.Collection, Index: ref.Key}})
	}, func(bool) error {
		return notFoundIsFine(client.DeleteIndex(ctx, ref.Database, ref.Collection, ref.Key))
	})
}

// settle waits, and acts again a few times when the server says that what is
// waited for will not come.
func settle(ctx context.Context, wait func() error, again func(gone bool) error) error {
	for try := 1; ; try++ {
		err := wait()
		var status *appwrite.StatusError
		if err == nil || try > recreations || !errors.As(err, &status) || ctx.Err() != nil {
			return err
		}
		if err := again(status.Status == ""); err != nil {
			return err
		}
	}
}

// notFoundIsFine forgives a deletion that finds nothing to delete.
func notFoundIsFine(err error) error {
	if errors.Is(err, appwrite.ErrNotFound) {
		return nil
	}
	return err
}

// awaitNoAttribute waits until an attribute is gone, asking again for its
// removal when the worker could not do it.
func awaitNoAttribute(ctx context.Context, client *appwrite.Client, ref engine.Ref) error {
	return settle(ctx, func() error {
		return client.WaitGone(ctx, ref.Database, []appwrite.Awaited{{Collection: ref.Collection, Attribute: ref.Key}})
	}, func(bool) error {
		return notFoundIsFine(client.DeleteAttribute(ctx, ref.Database, ref.Collection, ref.Key))
	})
}

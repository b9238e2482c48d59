package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
)

// place is the reserved database of a project.
type place struct {
	client   *appwrite.Client
	database string
	patience patience
}

// newPlace gives a place whose requests are repeated by the wall clock.
func newPlace(client *appwrite.Client, database string) place {
	return place{client: client, database: database, patience: patience{clock: wallClock{}, budget: DefaultPatience}}
}

// inlineGrace is how long a collection that a server makes in one request may
// be seen without its attributes before somebody else completes it.
const inlineGrace = 5 * time.Second

// ensure makes collections of the reserved database, and the database, where
// they are missing. Any number of processes may do so at once and each may be
// killed at any request: it holds no lease, removes nothing, takes over what
// another has made after comparing it, and makes an attribute last that tells
// that all is there. Where everything is there it sends one request, a LIST.
//
// The error wraps ErrForeign when a name is taken by something else, and
// journal.ErrVersion when a newer release has made the collection.
func (p place) ensure(ctx context.Context, shapes ...shape) error {
	missing, err := p.missing(ctx, shapes)
	if err == nil && len(missing) > 0 {
		err = p.complete(ctx, missing)
	}
	if err != nil {
		return fmt.Errorf("prepare database %s: %w", p.database, err)
	}
	return nil
}

// missing gives those of the shapes that are not complete.
func (p place) missing(ctx context.Context, shapes []shape) ([]shape, error) {
	var collections []appwrite.Collection
	err := p.patience.do(ctx, func(ctx context.Context) (err error) {
		collections, err = p.client.ListCollections(ctx, p.database)
		return err
	})
	if errors.Is(err, appwrite.ErrNotFound) {
		return shapes, nil
	}
	if err != nil {
		return nil, err
	}
	var missing []shape
	for _, s := range shapes {
		ready, err := p.judge(ctx, s, collections)
		if err != nil {
			return nil, err
		}
		if !ready {
			missing = append(missing, s)
		}
	}
	return missing, nil
}

// judge says whether a collection is complete and as it should be. What a list
// of collections says about their attributes can be old, so that only the list
// of the attributes themselves is believed when something is amiss.
func (p place) judge(ctx context.Context, s shape, collections []appwrite.Collection) (bool, error) {
	for _, collection := range collections {
		if collection.ID != s.id {
			continue
		}
		ready, err := s.ready(collection.Attributes)
		if err != nil {
			return false, err
		}
		if !ready || s.whole(collection.Attributes) != nil {
			if collection.Attributes, err = p.attributes(ctx, s); err != nil {
				return false, err
			}
			if ready, err = s.ready(collection.Attributes); err != nil {
				return false, err
			}
		}
		if !ready {
			return false, errors.Join(s.ours(collection), private(collection))
		}
		return true, errors.Join(s.whole(collection.Attributes), private(collection))
	}
	return false, nil
}

func (p place) attributes(ctx context.Context, s shape) (attributes []appwrite.Attribute, err error) {
	err = p.patience.do(ctx, func(ctx context.Context) error {
		attributes, err = p.client.ListAttributes(ctx, p.database, s.id)
		return err
	})
	return attributes, err
}

// complete makes what is missing of the collections.
func (p place) complete(ctx context.Context, shapes []shape) error {
	if err := p.makeDatabase(ctx); err != nil {
		return err
	}
	var rest []shape
	for _, s := range shapes {
		done, err := p.makeCollection(ctx, s)
		if err != nil {
			return err
		}
		if !done {
			rest = append(rest, s)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	if err := p.makeParts(ctx, rest); err != nil {
		return err
	}
	for _, s := range rest { // somebody may have interfered
		attributes, err := p.attributes(ctx, s)
		if err != nil {
			return err
		}
		if err := s.whole(attributes); err != nil {
			return err
		}
	}
	return nil
}

func (p place) makeDatabase(ctx context.Context) error {
	return p.patience.do(ctx, func(ctx context.Context) error {
		_, err := p.client.FindDatabase(ctx, p.database)
		if err = twin(err); !errors.Is(err, appwrite.ErrNotFound) || errors.Is(err, ErrForeign) {
			return err
		}
		_, err = p.client.CreateDatabase(ctx, appwrite.Database{ID: p.database, Name: "Backstep", Enabled: true})
		if errors.Is(err, appwrite.ErrExists) {
			return nil // somebody was faster
		}
		return err
	})
}

// makeCollection makes the collection, in one request with its attributes where
// the server can. done tells that it is complete.
func (p place) makeCollection(ctx context.Context, s shape) (done bool, err error) {
	server, err := p.client.Detect(ctx)
	if err != nil {
		return false, err
	}
	inline := server.Capabilities.InlineSchema
	wanted := appwrite.Collection{ID: s.id, Name: s.name, Enabled: true, Permissions: []string{}}
	if inline {
		wanted.Attributes = append(append(wanted.Attributes, s.attributes...), markerAttribute())
		wanted.Indexes = s.indexes
	}
	exists := false
	err = p.patience.do(ctx, func(ctx context.Context) error {
		_, err := p.client.CreateCollection(ctx, p.database, wanted)
		exists = errors.Is(err, appwrite.ErrExists)
		if exists {
			return nil
		}
		return err
	})
	if err != nil || !exists {
		return inline, err
	}
	return p.await(ctx, s, inline)
}

// await looks at a collection that somebody else has made. Where the server
// makes it whole in one request, it may be seen without its attributes for a
// moment, and adding them then would make that request fail.
func (p place) await(ctx context.Context, s shape, inline bool) (done bool, err error) {
	begun := p.patience.clock.Now()
	for {
		var collection appwrite.Collection
		err := p.patience.do(ctx, func(ctx context.Context) (err error) {
			if collection, err = p.client.FindCollection(ctx, p.database, s.id); err != nil {
				return twin(err)
			}
			collection.Attributes, err = p.client.ListAttributes(ctx, p.database, s.id)
			return err
		})
		if err != nil {
			return false, err
		}
		ready, err := p.judge(ctx, s, []appwrite.Collection{collection})
		if err != nil || ready || !inline || p.patience.clock.Now().Sub(begun) >= inlineGrace {
			return ready, err
		}
		if err := p.patience.pause(ctx, firstPause); err != nil {
			return false, err
		}
	}
}

// twin explains an object that exists in another letter case only.
func twin(err error) error {
	if other, ok := errors.AsType[*appwrite.TwinError](err); ok {
		return fmt.Errorf("%w: %w", ErrForeign, other)
	}
	return err
}

// makeParts makes attributes, then indexes, then markers, for all collections
// at once, and waits for each kind before the next.
func (p place) makeParts(ctx context.Context, shapes []shape) error {
	var attributes, indexes, markers []appwrite.Awaited
	for _, s := range shapes {
		for _, a := range s.attributes {
			if err := p.makeAttribute(ctx, s, a); err != nil {
				return err
			}
			attributes = append(attributes, appwrite.Awaited{Collection: s.id, Attribute: a.Key})
		}
	}
	if err := p.settled(ctx, attributes); err != nil {
		return err
	}
	for _, s := range shapes {
		for _, index := range s.indexes {
			if err := p.makeIndex(ctx, s, index); err != nil {
				return err
			}
			indexes = append(indexes, appwrite.Awaited{Collection: s.id, Index: index.Key})
		}
	}
	if err := p.settled(ctx, indexes); err != nil {
		return err
	}
	for _, s := range shapes {
		if err := p.makeAttribute(ctx, s, markerAttribute()); err != nil {
			return err
		}
		markers = append(markers, appwrite.Awaited{Collection: s.id, Attribute: marker})
	}
	return p.settled(ctx, markers)
}

func (p place) makeAttribute(ctx context.Context, s shape, wanted appwrite.Attribute) error {
	return p.patience.do(ctx, func(ctx context.Context) error {
		found, err := p.client.CreateAttribute(ctx, p.database, s.id, wanted)
		if errors.Is(err, appwrite.ErrExists) {
			found, err = p.client.FindAttribute(ctx, p.database, s.id, wanted.Key)
		}
		if err != nil {
			return twin(err)
		}
		return s.fits(found, wanted)
	})
}

func (p place) makeIndex(ctx context.Context, s shape, wanted appwrite.Index) error {
	return p.patience.do(ctx, func(ctx context.Context) error {
		_, err := p.client.CreateIndex(ctx, p.database, s.id, wanted)
		if errors.Is(err, appwrite.ErrExists) {
			return nil
		}
		return err
	})
}

// settled waits until attributes or indexes are available. One that failed is
// left: removing it could hit what another process has put in its place. An
// index is for speed only, so the journal does without it.
func (p place) settled(ctx context.Context, awaited []appwrite.Awaited) error {
	err := p.patience.do(ctx, func(ctx context.Context) error {
		return p.client.WaitAvailable(ctx, p.database, awaited)
	})
	stuck, ok := errors.AsType[*appwrite.StatusError](err)
	if !ok || stuck.Err != nil && !errors.Is(stuck.Err, appwrite.ErrStandstill) {
		return err
	}
	if stuck.Ref.Index != "" {
		return nil
	}
	return fmt.Errorf("%w; next: see that Appwrite's databases worker runs, delete collection %s, which holds nothing yet, and try again",
		err, stuck.Ref.Collection)
}

package steps

import (
	"context"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// The kinds of relationship.
const (
	OneToOne   = "oneToOne"
	OneToMany  = "oneToMany"
	ManyToOne  = "manyToOne"
	ManyToMany = "manyToMany"
)

// What happens to related documents when a document is deleted.
const (
	Restrict = "restrict"
	Cascade  = "cascade"
	SetNull  = "setNull"
)

// relationshipLive is a relationship as it was read from its parent's side.
type relationshipLive struct {
	RelationshipImage
	Status string
}

// findRelationship reads a relationship by either of its keys.
func findRelationship(ctx context.Context, client *appwrite.Client, ref engine.Ref) (relationshipLive, bool, error) {
	live, found, err := findAttribute(ctx, client, ref)
	switch {
	case err != nil || !found:
		return relationshipLive{}, false, err
	case live.Relationship == nil:
		return relationshipLive{}, false, stopped(ref, ErrRefused, "it is a plain attribute of type %s", live.Type)
	}
	return relationshipLive{RelationshipImage: imageOfRelationship(ref.Collection, live), Status: live.Status}, true, nil
}

// ref names the relationship by its parent's key.
func (i RelationshipImage) ref(database string) engine.Ref {
	return relationshipRef(database, i.Collection, i.Key)
}

// awaited are both sides of it, as far as they can be seen.
func (i RelationshipImage) awaited() []appwrite.Awaited {
	sides := []appwrite.Awaited{{Collection: i.Collection, Attribute: i.Key}}
	if i.TwoWay {
		sides = append(sides, appwrite.Awaited{Collection: i.Related, Attribute: i.TwoWayKey})
	}
	return sides
}

// makeRelationship asks for a relationship; see makeAttribute.
func makeRelationship(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage, mine bool) error {
	create := func() error {
		_, err := client.CreateRelationship(ctx, database, image.Collection, image.attribute())
		return err
	}
	err := create()
	if err == nil || !taken(err) {
		return err
	}
	live, found, findErr := findRelationship(ctx, client, image.ref(database))
	switch {
	case findErr != nil:
		return findErr
	case !found:
		return err
	case !mine || !same(image, live.RelationshipImage):
		return stopped(image.ref(database), engine.ErrForeign, "a relationship of this key appeared meanwhile")
	case live.Status == appwrite.StatusAvailable || live.Status == appwrite.StatusProcessing:
		return nil
	}
	if err := removeRelationship(ctx, client, database, image); err != nil {
		return err
	}
	return create()
}

// settleRelationship waits until both sides are available, and makes the
// relationship anew when the worker failed or lost it.
func settleRelationship(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) error {
	return settle(ctx, func() error {
		return client.WaitAvailable(ctx, database, image.awaited())
	}, func(bool) error {
		if err := removeRelationship(ctx, client, database, image); err != nil {
			return err
		}
		_, err := client.CreateRelationship(ctx, database, image.Collection, image.attribute())
		return err
	})
}

// removeRelationship deletes a relationship and waits until both sides are gone.
func removeRelationship(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) error {
	if err := deleteAttribute(ctx, client, image.ref(database)); err != nil {
		return err
	}
	return awaitNoRelationship(ctx, client, database, image)
}

// awaitNoRelationship is awaitNoAttribute for both sides.
func awaitNoRelationship(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) error {
	return settle(ctx, func() error {
		return client.WaitGone(ctx, database, image.awaited())
	}, func(bool) error {
		return notFoundIsFine(client.DeleteAttribute(ctx, database, image.Collection, image.Key))
	})
}

// clash says why the server cannot take a relationship next to what is there.
// It is asked before creating: the server refuses some of these too late, and
// leaves half a relationship behind.
func clash(ctx context.Context, client *appwrite.Client, database string, image RelationshipImage) (string, error) {
	own, err := client.ListAttributes(ctx, database, image.Collection)
	if err != nil {
		return "", err
	}
	theirs, err := client.ListAttributes(ctx, database, image.Related)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(theirs, func(a appwrite.Attribute) bool { return strings.EqualFold(a.Key, image.TwoWayKey) }) {
		return "collection " + image.Related + " has an attribute " + image.TwoWayKey + " already: give another two_way_key", nil
	}
	for _, attribute := range own {
		if attribute.Relationship == nil {
			continue
		}
		other := imageOfRelationship(image.Collection, attribute)
		switch {
		case other.Collection == image.Collection && other.Related == image.Related && strings.EqualFold(other.TwoWayKey, image.TwoWayKey):
			return "relationship " + other.Key + " has the two_way_key " + image.TwoWayKey + " already: give another", nil
		case image.Type == ManyToMany && other.Type == ManyToMany && (attribute.Relationship.Related == image.Related):
			return "the two collections are joined manyToMany by " + attribute.Key + " already, and the server allows one", nil
		}
	}
	return "", nil
}

package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// ErrForeign says that the reserved database holds something else under a name
// that the journal needs. It is never changed or removed.
var ErrForeign = errors.New("the reserved database holds something else than Backstep's")

// marker is the attribute that is made last: where it is available, everything
// else is. Its default is the version of the collection's form.
const (
	marker      = "format"
	formatKnown = 1
)

// shape is a collection of the reserved database as this release makes it.
type shape struct {
	id         string
	name       string // tells a half-made collection of ours from somebody else's
	attributes []appwrite.Attribute
	indexes    []appwrite.Index
}

// text is an optional attribute of up to size characters.
func text(key string, size int64) appwrite.Attribute {
	return appwrite.Attribute{Key: key, Type: appwrite.TypeString, Size: size}
}

// number is an optional 64-bit integer attribute.
func number(key string) appwrite.Attribute {
	return appwrite.Attribute{Key: key, Type: appwrite.TypeInteger}
}

// indexOn is an index over attributes, for speed only: no promise rests on it.
func indexOn(key string, attributes ...string) appwrite.Index {
	return appwrite.Index{Key: key, Type: "key", Attributes: attributes}
}

func markerAttribute() appwrite.Attribute {
	return appwrite.Attribute{Key: marker, Type: appwrite.TypeInteger, Default: json.RawMessage(strconv.Itoa(formatKnown))}
}

func find(attributes []appwrite.Attribute, key string) (appwrite.Attribute, bool) {
	i := slices.IndexFunc(attributes, func(a appwrite.Attribute) bool { return a.Key == key })
	if i < 0 {
		return appwrite.Attribute{}, false
	}
	return attributes[i], true
}

// ready says whether a collection with these attributes is complete. The error
// wraps journal.ErrVersion when a newer release has made it.
func (s shape) ready(attributes []appwrite.Attribute) (bool, error) {
	found, ok := find(attributes, marker)
	if !ok || found.Type != appwrite.TypeInteger || found.Status != appwrite.StatusAvailable {
		return false, nil
	}
	if version, err := strconv.Atoi(string(found.Default)); err == nil && version > formatKnown {
		return false, fmt.Errorf("%w: collection %s has form %d, this release knows %d", journal.ErrVersion, s.id, version, formatKnown)
	}
	return true, nil
}

// whole says why a complete collection is not, or not any more, what it should be.
func (s shape) whole(attributes []appwrite.Attribute) error {
	for _, wanted := range s.attributes {
		found, ok := find(attributes, wanted.Key)
		if !ok || found.Status != appwrite.StatusAvailable {
			return fmt.Errorf("%w: attribute %s of collection %s is missing or %s", journal.ErrDamaged, wanted.Key, s.id, found.Status)
		}
		if err := s.fits(found, wanted); err != nil {
			return err
		}
	}
	return s.closed(attributes)
}

// closed refuses an attribute that others have added and that every new
// document would have to have.
func (s shape) closed(attributes []appwrite.Attribute) error {
	for _, a := range attributes {
		if _, ours := find(s.attributes, a.Key); !ours && a.Required {
			return fmt.Errorf("%w: collection %s has a required attribute %s", ErrForeign, s.id, a.Key)
		}
	}
	return nil
}

// ours refuses a collection that is not complete and that nobody of ours has
// begun either.
func (s shape) ours(collection appwrite.Collection) error {
	next := "next: name another database for the history, or rename that collection"
	if collection.Name != s.name {
		return fmt.Errorf("%w: collection %s is called %q; %s", ErrForeign, s.id, collection.Name, next)
	}
	for _, found := range collection.Attributes {
		if found.Key == marker {
			continue
		}
		wanted, ok := find(s.attributes, found.Key)
		if !ok {
			return fmt.Errorf("%w: collection %s has an attribute %s; %s", ErrForeign, s.id, found.Key, next)
		}
		if err := s.fits(found, wanted); err != nil {
			return err
		}
	}
	return nil
}

// fits compares an attribute with the one that is wanted.
func (s shape) fits(found, wanted appwrite.Attribute) error {
	if found.Type != wanted.Type || found.Array || found.Required || found.Size < wanted.Size {
		return fmt.Errorf("%w: attribute %s of collection %s is %s, not %s",
			ErrForeign, wanted.Key, s.id, describe(found), describe(wanted))
	}
	return nil
}

func describe(a appwrite.Attribute) string {
	out := a.Type
	if a.Array {
		out = "a list of " + out
	}
	if a.Required {
		out = "required " + out
	}
	if a.Size > 0 {
		out += " of size " + strconv.FormatInt(a.Size, 10)
	}
	return out
}

// private refuses a collection that others than API keys may get at.
func private(collection appwrite.Collection) error {
	if len(collection.Permissions) > 0 || collection.DocumentSecurity {
		return fmt.Errorf("%w: collection %s grants permissions %v; next: take them away, nobody but API keys may read or write the journal",
			ErrForeign, collection.ID, collection.Permissions)
	}
	return nil
}

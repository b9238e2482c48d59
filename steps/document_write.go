package steps

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
)

// DocumentValues are some fields of a document, and its permissions where those
// count.
type DocumentValues struct {
	Data        map[string]any `json:"data,omitempty"`
	Permissions *[]string      `json:"permissions,omitempty"`
}

// empty reports whether no field is named.
func (v DocumentValues) empty() bool { return len(v.Data) == 0 && v.Permissions == nil }

// only leaves the fields that other names too.
func (v DocumentValues) only(other DocumentValues) DocumentValues {
	kept := DocumentValues{Data: map[string]any{}}
	for key, value := range v.Data {
		if _, named := other.Data[key]; named {
			kept.Data[key] = value
		}
	}
	if other.Permissions != nil {
		kept.Permissions = v.Permissions
	}
	return kept
}

// without leaves the fields that other does not name.
func (v DocumentValues) without(other DocumentValues) DocumentValues {
	kept := DocumentValues{Data: maps.Clone(v.Data), Permissions: v.Permissions}
	maps.DeleteFunc(kept.Data, func(key string, _ any) bool {
		_, named := other.Data[key]
		return named
	})
	if other.Permissions != nil {
		kept.Permissions = nil
	}
	return kept
}

// String names the fields.
func (v DocumentValues) String() string {
	names := slices.Sorted(maps.Keys(v.Data))
	if v.Permissions != nil {
		names = append(names, "$permissions")
	}
	return strings.Join(names, ", ")
}

// changed gives those of the values that a document does not hold.
func (f shape) changed(values DocumentValues, live documentImage) DocumentValues {
	missing := DocumentValues{Data: map[string]any{}}
	for key, value := range values.Data {
		if !holds(f.attributes[key], value, live.Data[key]) {
			missing.Data[key] = value
		}
	}
	if values.Permissions != nil && !samePermissions(*values.Permissions, live.Permissions) {
		missing.Permissions = values.Permissions
	}
	return missing
}

// same reports whether a field means the same in two sets of values.
func (f shape) same(key string, a, b map[string]any) bool {
	return holds(f.attributes[key], a[key], b[key])
}

// repointed reports whether a field is a two-way oneToOne relationship that
// leads somewhere else now. The server refuses that in one step.
func (f shape) repointed(key string, from, to any) bool {
	relationship := f.attributes[key].Relationship
	return relationship != nil && relationship.Type == OneToOne && relationship.TwoWay &&
		!isEmpty(from) && !isEmpty(to) && !sameValue(from, to)
}

// write changes fields of a document that must still be as it was read. Null
// under a default takes the bulk route, the only one that stores it; fields
// that are null under a default and not meant stay null that way, too.
func (p place) write(ctx context.Context, f shape, todo DocumentValues, live documentImage) error {
	return p.writeAt(ctx, f, todo, live, "")
}

// writeAt is write with a $updatedAt to leave behind, "" for the server's own.
func (p place) writeAt(ctx context.Context, f shape, todo DocumentValues, live documentImage, updatedAt string) error {
	patch := appwrite.DocumentPatch{Data: todo.Data, Permissions: todo.Permissions, UpdatedAt: updatedAt}
	guard := appwrite.Guard{UpdatedAt: live.UpdatedAt}
	if f.nullable() && f.fillsNulls(todo, live) {
		total, err := p.client.UpdateDocuments(ctx, p.database, p.collection, patch,
			query.Equal("$id", p.id), query.Equal("$updatedAt", live.UpdatedAt))
		if err == nil && total == 0 {
			return stopped(p.ref(), appwrite.ErrConflict, "")
		}
		return err
	}
	cleared := map[string]any{}
	for key, value := range todo.Data {
		if f.repointed(key, live.Data[key], value) {
			cleared[key] = nil
		}
	}
	if len(cleared) > 0 {
		document, err := p.client.UpdateDocument(ctx, p.database, p.collection, p.id, appwrite.DocumentPatch{Data: cleared}, guard)
		if err != nil {
			return err
		}
		guard.UpdatedAt = document.UpdatedAt
	}
	_, err := p.client.UpdateDocument(ctx, p.database, p.collection, p.id, patch, guard)
	if errors.Is(err, appwrite.ErrOverlapped) {
		return nil // written; the other writer's fields are other ones
	}
	if err != nil && len(cleared) > 0 {
		return &halfError{err: err}
	}
	return err
}

// fillsNulls reports whether a single write would put a default where null is,
// or where null is to be.
func (f shape) fillsNulls(todo DocumentValues, live documentImage) bool {
	for key := range f.attributes {
		value, named := todo.Data[key]
		if !named {
			value = live.Data[key]
		}
		if isEmpty(value) && f.hasDefault(key) {
			return true
		}
	}
	return false
}

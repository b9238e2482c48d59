package documents

import (
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// input is what a client sent for one record.
type input struct {
	dialect api.Dialect
	id      string // $id; "" when it is missing or no text
	// fields are the values of attributes, and whatever else was sent.
	fields *phpjson.Object
	// permissions is nil when none were sent.
	permissions []string
	// createdAt and updatedAt are set by the client, or nil.
	createdAt, updatedAt *int64
	// touched says that a time was sent to a version that only takes it for a
	// change.
	touched bool
}

// read takes apart what a client sent. Keys that the server strips are left
// out, names that it does not know stay among the fields.
func (r *Room) read(dialect api.Dialect, sent *phpjson.Object) (input, error) {
	in := input{dialect: dialect, fields: sent}
	special := false
	for key := range sent.All() {
		special = special || strings.HasPrefix(key, "$")
	}
	if !special {
		return in, nil
	}
	in.fields = &phpjson.Object{}
	for key, v := range sent.All() {
		switch {
		case key == "$id":
			in.id, _ = v.(string)
		case key == "$permissions":
			if list, ok := v.([]any); ok {
				in.permissions = stringsOf(list)
			}
		case key == "$createdAt", key == "$updatedAt":
			at, err := r.clientTime(v)
			if err != nil {
				return input{}, err
			}
			in.touched = in.touched || (at == nil && v != nil)
			if key == "$createdAt" {
				in.createdAt = at
			} else {
				in.updatedAt = at
			}
		case r.Profile.TablesDB() && (key == "$sequence" || key == "$databaseId" || key == dialect.Word("$collectionId")):
		default:
			in.fields.Set(key, v)
		}
	}
	return in, nil
}

// checkPermissions validates the permissions inside a bulk payload.
func checkPermissions(sent *phpjson.Object) error {
	v, _ := sent.Get("$permissions")
	if v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		return apierr.BadRequest("general_bad_request", "$permissions must be an array")
	}
	if err := permission.Check(stringsOf(list), true); err != nil {
		return apierr.BadRequest("general_bad_request", "%v", err)
	}
	return nil
}

// clientTime reads a time that a client sets: null is now, and 1.7 ignores it.
func (r *Room) clientTime(v any) (*int64, error) {
	if !r.Profile.TablesDB() || v == nil {
		return nil, nil
	}
	if v == "" {
		return nil, invalidStructure("$createdAt and $updatedAt must not be empty")
	}
	t, err := r.values.Date(v)
	if err != nil {
		return nil, invalidStructure("$createdAt and $updatedAt: %v", err)
	}
	ms := t.UnixMilli()
	return &ms, nil
}

// or returns the time a client set, or another.
func or(set *int64, other int64) int64 {
	if set != nil {
		return *set
	}
	return other
}

func invalidStructure(format string, args ...any) error {
	return apierr.BadRequest("document_invalid_structure", "Invalid document structure: "+format, args...)
}

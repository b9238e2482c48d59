package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// collection finds the collection of a request. What is disabled is there for
// keys only.
func (r *Room) collection(req *api.Request) (*catalog.Collection, error) {
	col, err := r.Catalog.Collection(req.String("databaseId"), req.String("collectionId"))
	if err != nil || req.Caller.Key {
		return col, err
	}
	if !col.Database.Enabled {
		return nil, apierr.NotFound("database_not_found", "Database with the requested ID could not be found.")
	}
	if !col.Enabled {
		return nil, apierr.NotFound("collection_not_found", "Collection with the requested ID could not be found.")
	}
	return col, nil
}

// may says whether the caller may do something with a record: by the
// collection's permissions, or by the record's own where they count.
func may(req *api.Request, action string, col *catalog.Collection, record *store.Record) bool {
	return req.Caller.Key || permission.GuestMay(action, col.Permissions) ||
		(col.DocumentSecurity && record != nil && permission.GuestMay(action, record.Permissions))
}

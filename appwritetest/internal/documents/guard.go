package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// guard is the time of X-Appwrite-Timestamp, after which a record must not
// have changed; 0 for none.
type guard int64

// guard reads the header. 1.7 checks its form and then ignores it.
func (r *Room) guard(req *api.Request) (guard, error) {
	header := req.HTTP.Header.Get("X-Appwrite-Timestamp")
	if header == "" {
		return 0, nil
	}
	t, err := r.dates.Parse(header)
	if err != nil {
		return 0, apierr.Argument("Invalid X-Appwrite-Timestamp header value")
	}
	if !r.Profile.TablesDB() {
		return 0, nil
	}
	return guard(t.UnixMilli()), nil
}

// check refuses what the caller may not do, and what comes too late.
func (g guard) check(req *api.Request, action string, col *catalog.Collection, record *store.Record) error {
	if !may(req, action, col, record) {
		if !may(req, "read", col, record) {
			return notFound(record.ID)
		}
		return unauthorized()
	}
	if g != 0 && record.UpdatedAt > int64(g) {
		return apierr.Conflict("document_update_conflict", "Remote document is newer than local.")
	}
	return nil
}

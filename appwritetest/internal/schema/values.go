package schema

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
)

// fits checks a default by the rule that records of such an attribute obey. It
// is kept as it was written.
func (r *Room) fits(d catalog.Definition) api.Check {
	return func(sent any) (any, string) {
		if _, err := r.values.Store(&d, sent); err != nil {
			return nil, err.Error()
		}
		return sent, ""
	}
}

// datetime is fits for dates; an empty one means nothing here.
func (r *Room) datetime(sent any) (any, string) {
	if sent == "" {
		return nil, "Value must be valid date"
	}
	return r.fits(catalog.Definition{Type: catalog.TypeDatetime})(sent)
}

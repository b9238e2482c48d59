package schema

import (
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// search is the parameter of lists of things that have a name.
func search() api.Param { return api.Optional("search", api.Text(1, 256), "") }

// listParams are what every list route takes.
func (r *Room) listParams(params ...api.Param) []api.Param {
	params = append(params, api.Optional("queries", api.ListOf(api.Text(0, 4096), 100), []any{}))
	if r.catalog.Profile.Operators() {
		params = append(params, api.Optional("total", totalFlag, true))
	}
	return params
}

// totalFlag reads total from a query string, where only 0 switches it off.
func totalFlag(value any) (any, string) {
	switch value {
	case "0":
		return false, ""
	case "1", "true", "false":
		return true, ""
	}
	return nil, "Value must be a valid boolean"
}

// list answers a list route: filters, pages and renders.
func list[T any](req *api.Request, name string, items []T, spec listing.Spec[T], render func(T) *phpjson.Object) (api.Response, error) {
	page, total, err := spec.Page(searched(items, spec, req.String("search")), req.Strings("queries"))
	if err != nil {
		return api.Response{}, err
	}
	if req.Value("total") == false {
		total = 0
	}
	bodies := make([]*phpjson.Object, len(page))
	for i, item := range page {
		bodies[i] = render(item)
	}
	return api.OK(phpjson.Obj("total", total, req.Dialect.Word(name), bodies)), nil
}

// searched keeps the items whose id or name holds one of the words searched
// for. The server's full-text index knows no words shorter than three letters.
func searched[T any](items []T, spec listing.Spec[T], search string) []T {
	if search == "" {
		return items
	}
	var found []T
	for _, item := range items {
		text := spec.ID(item) + " " + spec.Fields["name"].Value(item).(string)
		for word := range strings.FieldsSeq(strings.ToLower(text)) {
			if len(word) >= 3 && strings.HasPrefix(word, strings.ToLower(search)) {
				found = append(found, item)
				break
			}
		}
	}
	return found
}

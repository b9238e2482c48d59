package documents

import (
	"strconv"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

const (
	maxQueries     = 100
	maxQueryLength = 4096
	maxItems       = 100
)

func inCollection(params ...api.Param) []api.Param {
	return append([]api.Param{api.Required("databaseId", api.ID), api.Required("collectionId", api.ID)}, params...)
}

func ofRecord(params ...api.Param) []api.Param {
	return inCollection(append([]api.Param{api.Required("documentId", api.ID)}, params...)...)
}

func queries() api.Param {
	return api.Optional("queries", api.ListOf(api.Text(1, maxQueryLength), maxQueries), []any{})
}

func transaction() api.Param { return api.Nullable("transactionId", api.ID) }

func permissions() api.Param {
	return api.Nullable("permissions", func(value any) (any, string) {
		list, why := api.ListOf(api.Text(1, 0), permission.Limit)(value)
		if why != "" {
			return nil, why
		}
		texts := stringsOf(list.([]any))
		if err := permission.Check(texts, false); err != nil {
			return nil, err.Error()
		}
		return permission.Expand(texts, false), ""
	})
}

// permissionsOf returns the permissions of a request, nil when none were sent.
func permissionsOf(req *api.Request) []string {
	list, _ := req.Value("permissions").([]string)
	return list
}

// data is an object, or its JSON text.
func data() api.Param { return api.Optional("data", object, nil) }

// data is the parameter of creating: 1.7 lets null pass, to miss it later.
func (r *Room) data() api.Param {
	if r.Profile.TablesDB() {
		return data()
	}
	return api.Nullable("data", object)
}

func object(value any) (any, string) {
	if text, ok := value.(string); ok {
		decoded, err := phpjson.Decode([]byte(text))
		if err != nil {
			return nil, "Value must be a valid JSON string"
		}
		value = decoded
	}
	switch v := value.(type) {
	case *phpjson.Object:
		return v, ""
	case []any:
		return unlisted(v), ""
	}
	return nil, "Value must be a valid JSON object"
}

// unlisted is a list as the object that PHP holds it to be.
func unlisted(list []any) *phpjson.Object {
	out := &phpjson.Object{}
	for i, item := range list {
		out.Set(strconv.Itoa(i), item)
	}
	return out
}

// listed says whether an object is a list to PHP: its keys count from 0.
func listed(o *phpjson.Object) bool {
	for i, key := range o.Keys() {
		if key != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// items is a list of records.
func items(name string) api.Param {
	return api.Optional(name, api.ListOf(object, maxItems), []any{})
}

func requiredItems() api.Param { return api.Required("documents", api.ListOf(object, maxItems)) }

// total switches the count off, in a query string only by 0. Versions that do
// not know it take no notice.
func (r *Room) total() api.Param {
	if !r.Profile.Operators() {
		return api.Optional("total", func(any) (any, string) { return true, "" }, true)
	}
	return api.Optional("total", func(value any) (any, string) {
		switch value {
		case "0":
			return false, ""
		case "1", "true", "false":
			return true, ""
		}
		return nil, "Value must be a valid boolean"
	}, true)
}

// ttl is how long a list may come from a cache. There is none: it is only
// checked.
func (r *Room) ttl() []api.Param {
	if !r.Profile.InlineSchema() {
		return nil
	}
	const day = 86400
	return []api.Param{api.Optional("ttl", api.LooseInt(0, day), int64(0))}
}

func objectsOf(list []any) []*phpjson.Object {
	out := make([]*phpjson.Object, len(list))
	for i, item := range list {
		out[i], _ = item.(*phpjson.Object)
	}
	return out
}

// stringsOf keeps the strings of a list.
func stringsOf(list []any) []string {
	out := make([]string, 0, len(list))
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

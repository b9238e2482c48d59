package schema

import (
	"net/http"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

func (r *Room) indexRoutes() []api.Route {
	types := []string{"key", "fulltext", "unique"}
	if r.catalog.Profile.TablesDB() {
		types = append(types, "spatial")
	}
	create := append(inCollection(),
		api.Required("key", api.ID),
		api.Required("type", api.OneOfFold(types...)),
		api.Required("attributes", api.ListOf(indexable, 100)),
		api.Optional("orders", api.ListOf(direction, 100), []any{}),
		api.Optional("lengths", api.ListOf(indexLength, 100), []any{}),
	)
	one := append(inCollection(), api.Required("key", api.ID))
	path := indexesPath + "/{key}"
	return []api.Route{
		r.write(http.MethodPost, indexesPath, "indexes", create, r.createIndex),
		read(indexesPath, "indexes", r.listParams(inCollection()...), r.listIndexes),
		read(path, "indexes", one, r.getIndex),
		r.write(http.MethodDelete, path, "indexes", one, r.deleteIndex),
	}
}

// indexable accepts a key, or one of the record's own fields.
func indexable(value any) (any, string) {
	switch value {
	case "$id", "$createdAt", "$updatedAt":
		return value, ""
	}
	return api.ID(value)
}

func direction(value any) (any, string) {
	if s, ok := value.(string); ok && (strings.EqualFold(s, "asc") || strings.EqualFold(s, "desc")) {
		return s, ""
	}
	return nil, "Value must be one of (ASC, DESC)"
}

func indexLength(value any) (any, string) {
	if value == nil {
		return int64(catalog.WholeValue), ""
	}
	return api.StrictInt(value)
}

func (r *Room) createIndex(req *api.Request) (api.Response, error) {
	d := catalog.IndexDefinition{
		Key: req.String("key"), Type: req.String("type"),
		Attributes: req.Strings("attributes"), Orders: req.Strings("orders"),
	}
	for _, n := range req.List("lengths") {
		d.Lengths = append(d.Lengths, int(n.(int64)))
	}
	x, err := r.catalog.CreateIndex(req.String("databaseId"), req.String("collectionId"), d)
	if err != nil {
		return api.Response{}, err
	}
	o := r.index(req.Dialect, x)
	if !req.Profile.TablesDB() {
		o.Set("lengths", bareLengths(x, d.Lengths))
	}
	return api.Accepted(o), nil
}

// bareLengths is how 1.7 answers: null where no length was given, until the
// index is read again.
func bareLengths(x *catalog.Index, given []int) []any {
	list := lengths(x)
	for i := range list {
		if list[i] == 0 && (i >= len(given) || given[i] == catalog.WholeValue) {
			list[i] = nil
		}
	}
	return list
}

func (r *Room) getIndex(req *api.Request) (api.Response, error) {
	_, x, err := r.catalog.Index(req.String("databaseId"), req.String("collectionId"), req.String("key"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(r.index(req.Dialect, x)), nil
}

func (r *Room) deleteIndex(req *api.Request) (api.Response, error) {
	err := r.catalog.DeleteIndex(req.String("databaseId"), req.String("collectionId"), req.String("key"))
	if err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

func (r *Room) listIndexes(req *api.Request) (api.Response, error) {
	col, err := r.catalog.Collection(req.String("databaseId"), req.String("collectionId"))
	if err != nil {
		return api.Response{}, err
	}
	return list(req, "indexes", col.Indexes, r.indexList(), func(x *catalog.Index) *phpjson.Object {
		return r.index(req.Dialect, x)
	})
}

func (r *Room) indexList() listing.Spec[*catalog.Index] {
	type index = *catalog.Index
	return listing.Spec[index]{
		Profile: r.catalog.Profile, Dates: r.dates,
		ID: func(x index) string { return x.Key },
		Fields: map[string]listing.Field[index]{
			"key":        listing.Text(func(x index) string { return x.Key }),
			"type":       listing.Text(func(x index) string { return x.Type }),
			"status":     listing.Text(func(x index) string { return string(x.Status) }),
			"attributes": listing.List(func(x index) []string { return x.Attributes }),
			"error":      listing.Text(func(x index) string { return x.Error }),
			"$id":        listing.Text(func(x index) string { return x.ID }),
			"$createdAt": listing.Time(func(x index) time.Time { return x.CreatedAt }),
			"$updatedAt": listing.Time(func(x index) time.Time { return x.UpdatedAt }),
		},
	}
}

package schema

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

func (r *Room) collectionRoutes() []api.Route {
	p := r.catalog.Profile
	create := append(inDatabase(),
		api.Required("collectionId", api.NewID),
		api.Required("name", api.Text(1, 128)),
		api.Nullable("permissions", api.ListOf(api.Text(1, 0), 100)),
		api.Optional("documentSecurity", api.LooseBool, false),
		api.Optional("enabled", api.LooseBool, true),
	)
	if p.InlineSchema() {
		create = append(create,
			api.Optional("attributes", api.ListOf(api.Any, 100), []any{}),
			api.Optional("indexes", api.ListOf(api.Any, profile.MaxIndexes), []any{}))
	}
	name := api.Required("name", api.Text(1, 128))
	if p.AtLeast(1, 9, 0) {
		name = api.Nullable("name", api.Text(1, 128))
	}
	update := append(inCollection(), name,
		api.Nullable("permissions", api.ListOf(api.Text(1, 0), 100)),
		api.Optional("documentSecurity", api.LooseBool, false),
		api.Optional("enabled", api.LooseBool, true),
		api.Optional("purge", api.LooseBool, false),
	)
	path := databasePath + "/collections"
	return []api.Route{
		write(http.MethodPost, path, "collections", create, r.createCollection),
		read(path, "collections", listParams(inDatabase()...), r.listCollections),
		read(collectionPath, "collections", inCollection(), r.getCollection),
		write(http.MethodPut, collectionPath, "collections", update, r.updateCollection),
		write(http.MethodDelete, collectionPath, "collections", inCollection(), r.deleteCollection),
	}
}

func (r *Room) createCollection(req *api.Request) (api.Response, error) {
	col, err := r.catalog.CreateCollection(req.String("databaseId"), catalog.NewCollection{
		ID:               api.Expand(req.String("collectionId")),
		Name:             req.String("name"),
		Permissions:      req.Strings("permissions"),
		DocumentSecurity: req.Bool("documentSecurity"),
		Enabled:          req.Bool("enabled"),
	})
	if err != nil {
		return api.Response{}, err
	}
	return api.Created(r.collection(req.Dialect, col)), nil
}

func (r *Room) listCollections(req *api.Request) (api.Response, error) {
	d, err := r.catalog.Database(req.String("databaseId"))
	if err != nil {
		return api.Response{}, err
	}
	names := []string{"name", "enabled", "$id", "$createdAt", "$updatedAt", "$sequence"}
	if req.Dialect == api.Legacy {
		names = append(names, "documentSecurity")
	}
	spec := listing.Spec[*catalog.Collection]{
		Names: names,
		ID:    func(col *catalog.Collection) string { return col.ID },
		Fold:  req.Profile.Fold,
		Field: collectionField,
	}
	return list(req, "collections", d.Collections(), spec, func(col *catalog.Collection) *phpjson.Object {
		return r.collection(req.Dialect, col)
	})
}

func collectionField(col *catalog.Collection, name string) any {
	switch name {
	case "name":
		return col.Name
	case "enabled":
		return col.Enabled
	case "documentSecurity":
		return col.DocumentSecurity
	case "$id":
		return col.ID
	case "$createdAt":
		return stamp(col.CreatedAt)
	case "$updatedAt":
		return stamp(col.UpdatedAt)
	}
	return col.Sequence
}

func (r *Room) getCollection(req *api.Request) (api.Response, error) {
	col, err := r.catalog.Collection(req.String("databaseId"), req.String("collectionId"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(r.collection(req.Dialect, col)), nil
}

func (r *Room) updateCollection(req *api.Request) (api.Response, error) {
	change := catalog.CollectionChange{DocumentSecurity: req.Bool("documentSecurity"), Enabled: req.Bool("enabled")}
	if name := req.String("name"); name != "" {
		change.Name = &name
	}
	if req.Value("permissions") != nil {
		permissions := req.Strings("permissions")
		change.Permissions = &permissions
	}
	col, err := r.catalog.UpdateCollection(req.String("databaseId"), req.String("collectionId"), change)
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(r.collection(req.Dialect, col)), nil
}

func (r *Room) deleteCollection(req *api.Request) (api.Response, error) {
	if err := r.catalog.DeleteCollection(req.String("databaseId"), req.String("collectionId")); err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

// collection renders a collection with its whole schema.
func (r *Room) collection(dialect api.Dialect, col *catalog.Collection) *phpjson.Object {
	attributes := make([]*phpjson.Object, len(col.Attributes))
	for i, a := range col.Attributes {
		attributes[i] = attribute(dialect, a)
	}
	indexes := make([]*phpjson.Object, len(col.Indexes))
	for i, x := range col.Indexes {
		indexes[i] = r.index(dialect, x)
	}
	o := phpjson.Obj("$id", col.ID, "$createdAt", stamp(col.CreatedAt), "$updatedAt", stamp(col.UpdatedAt),
		"$permissions", col.Permissions, "databaseId", col.Database.ID, "name", col.Name, "enabled", col.Enabled,
		dialect.Word("documentSecurity"), col.DocumentSecurity, dialect.Word("attributes"), attributes, "indexes", indexes)
	if r.catalog.Profile.AtLeast(1, 9, 0) {
		o.Set("bytesMax", profile.MaxRowBytes)
		o.Set("bytesUsed", col.RowBytes())
	}
	return o
}

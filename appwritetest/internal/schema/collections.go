package schema

import (
	"net/http"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

func (r *Room) collectionRoutes() []api.Route {
	p := r.catalog.Profile
	create := append(inDatabase(),
		api.Required("collectionId", api.NewID),
		api.Required("name", api.Text(1, 128)),
		api.Nullable("permissions", permissions),
		api.Optional("documentSecurity", api.LooseBool, false),
		api.Optional("enabled", api.StrictBool, true),
	)
	if p.InlineSchema() {
		create = append(create,
			api.Optional("attributes", api.ListOf(api.Any, maxItems), []any{}),
			api.Optional("indexes", api.ListOf(api.Any, maxItems), []any{}))
	}
	name := api.Required("name", api.Text(1, 128))
	if p.AtLeast(1, 9, 0) {
		name = api.Nullable("name", api.Text(1, 128))
	}
	update := append(inCollection(), name,
		api.Nullable("permissions", permissions),
		api.Optional("documentSecurity", api.LooseBool, false),
		api.Optional("enabled", api.StrictBool, true),
	)
	if p.AtLeast(1, 9, 5) {
		update = append(update, api.Optional("purge", api.LooseBool, false)) // there is no cache to purge
	}
	path := databasePath + "/collections"
	return []api.Route{
		r.write(http.MethodPost, path, "collections", create, r.createCollection),
		read(path, "collections", r.listParams(append(inDatabase(), search())...), r.listCollections),
		read(collectionPath, "collections", inCollection(), r.getCollection),
		r.write(http.MethodPut, collectionPath, "collections", update, r.updateCollection),
		r.write(http.MethodDelete, collectionPath, "collections", inCollection(), r.deleteCollection),
	}
}

func (r *Room) createCollection(req *api.Request) (api.Response, error) {
	col, err := r.catalog.CreateCollection(req.String("databaseId"), catalog.NewCollection{
		ID:               api.Expand(req.String("collectionId")),
		Name:             req.String("name"),
		Permissions:      req.Strings("permissions"),
		DocumentSecurity: req.Bool("documentSecurity"),
		Enabled:          req.Bool("enabled"),
		Inline: func() ([]catalog.Definition, []catalog.IndexDefinition, error) {
			return r.inline(req.List("attributes"), req.List("indexes"))
		},
	})
	if err != nil {
		return api.Response{}, err
	}
	// The answer knows nothing yet of an inline schema.
	bare := *col
	bare.Attributes, bare.Indexes = nil, nil
	return api.Created(r.collection(req.Dialect, &bare)), nil
}

// permissions checks the permissions of a container and writes them out.
func permissions(value any) (any, string) {
	list, why := api.ListOf(api.Text(1, 0), permission.Limit)(value)
	if why != "" {
		return nil, why
	}
	var texts []string
	for _, text := range list.([]any) {
		texts = append(texts, text.(string))
	}
	if err := permission.Check(texts, true); err != nil {
		return nil, err.Error()
	}
	expanded := []any{}
	for _, text := range permission.Expand(texts, true) {
		expanded = append(expanded, text)
	}
	return expanded, ""
}

func (r *Room) listCollections(req *api.Request) (api.Response, error) {
	d, err := r.catalog.Database(req.String("databaseId"))
	if err != nil {
		return api.Response{}, err
	}
	return list(req, "collections", d.Collections(), r.collectionList(req.Dialect), func(col *catalog.Collection) *phpjson.Object {
		return r.collection(req.Dialect, col)
	})
}

func (r *Room) collectionList(dialect api.Dialect) listing.Spec[*catalog.Collection] {
	type collection = *catalog.Collection
	fields := map[string]listing.Field[collection]{
		"name":       listing.Text(func(col collection) string { return col.Name }),
		"enabled":    listing.Bool(func(col collection) bool { return col.Enabled }),
		"$id":        listing.Text(func(col collection) string { return col.ID }),
		"$createdAt": listing.Time(func(col collection) time.Time { return col.CreatedAt }),
		"$updatedAt": listing.Time(func(col collection) time.Time { return col.UpdatedAt }),
		"$sequence":  listing.Sequence(func(col collection) int64 { return col.Sequence }),
	}
	if dialect == api.Legacy { // TablesDB refuses both its own word and this one
		fields["documentSecurity"] = listing.Bool(func(col collection) bool { return col.DocumentSecurity })
	}
	return listing.Spec[collection]{
		Profile: r.catalog.Profile, Dates: r.dates, Fields: fields,
		ID: func(col collection) string { return col.ID },
	}
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
	o := phpjson.Obj("$id", col.ID, "$createdAt", phpdate.Format(col.CreatedAt), "$updatedAt", phpdate.Format(col.UpdatedAt),
		"$permissions", col.Permissions, "databaseId", col.Database.ID, "name", col.Name, "enabled", col.Enabled,
		dialect.Word("documentSecurity"), col.DocumentSecurity, dialect.Word("attributes"), attributes, "indexes", indexes)
	if r.catalog.Profile.AtLeast(1, 9, 0) {
		o.Set("bytesMax", profile.MaxRowBytes)
		o.Set("bytesUsed", col.RowBytes())
	}
	return o
}

package schema

import (
	"net/http"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

func (r *Room) databaseRoutes() []api.Route {
	create := []api.Param{
		api.Required("databaseId", api.NewID),
		api.Required("name", api.Text(1, 128)),
		api.Optional("enabled", api.StrictBool, true),
	}
	name := api.Required("name", api.Text(1, 128))
	if r.catalog.Profile.AtLeast(1, 9, 0) {
		name = api.Nullable("name", api.Text(1, 128))
	}
	update := append(inDatabase(), name, api.Optional("enabled", api.StrictBool, true))
	return []api.Route{
		r.write(http.MethodPost, "/databases", "databases", create, r.createDatabase),
		read("/databases", "databases", r.listParams(search()), r.listDatabases),
		read(databasePath, "databases", inDatabase(), r.getDatabase),
		r.write(http.MethodPut, databasePath, "databases", update, r.updateDatabase),
		r.write(http.MethodDelete, databasePath, "databases", inDatabase(), r.deleteDatabase),
	}
}

func (r *Room) createDatabase(req *api.Request) (api.Response, error) {
	id := api.Expand(req.String("databaseId"))
	d, err := r.catalog.CreateDatabase(id, req.String("name"), req.Bool("enabled"), string(req.Dialect))
	if err != nil {
		return api.Response{}, err
	}
	return api.Created(r.database(d)), nil
}

func (r *Room) listDatabases(req *api.Request) (api.Response, error) {
	var visible []*catalog.Database
	for _, d := range r.catalog.Databases() {
		// From 1.9 on the legacy list shows only what it created itself.
		if req.Dialect == api.TablesDB || d.Type == string(api.Legacy) || !req.Profile.AtLeast(1, 9, 0) {
			visible = append(visible, d)
		}
	}
	return list(req, "databases", visible, r.databaseList(), r.database)
}

func (r *Room) databaseList() listing.Spec[*catalog.Database] {
	type database = *catalog.Database
	return listing.Spec[database]{
		Profile: r.catalog.Profile, Dates: r.dates,
		ID: func(d database) string { return d.ID },
		Fields: map[string]listing.Field[database]{
			"name":       listing.Text(func(d database) string { return d.Name }),
			"$id":        listing.Text(func(d database) string { return d.ID }),
			"$createdAt": listing.Time(func(d database) time.Time { return d.CreatedAt }),
			"$updatedAt": listing.Time(func(d database) time.Time { return d.UpdatedAt }),
			"$sequence":  listing.Sequence(func(d database) int64 { return d.Sequence }),
		},
	}
}

func (r *Room) getDatabase(req *api.Request) (api.Response, error) {
	d, err := r.catalog.Database(req.String("databaseId"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(r.database(d)), nil
}

func (r *Room) updateDatabase(req *api.Request) (api.Response, error) {
	d, err := r.catalog.UpdateDatabase(req.String("databaseId"), req.String("name"), req.Bool("enabled"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(r.database(d)), nil
}

func (r *Room) deleteDatabase(req *api.Request) (api.Response, error) {
	if err := r.catalog.DeleteDatabase(req.String("databaseId")); err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

// database renders a database.
func (r *Room) database(d *catalog.Database) *phpjson.Object {
	o := phpjson.Obj("$id", d.ID, "name", d.Name, "$createdAt", phpdate.Format(d.CreatedAt), "$updatedAt", phpdate.Format(d.UpdatedAt),
		"enabled", d.Enabled)
	if r.catalog.Profile.TablesDB() {
		o.Set("type", d.Type)
	}
	return o
}

package schema

import (
	"net/http"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/listing"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

const (
	attributePath = attributesPath + "/{key}"
	minEncrypted  = 150 // characters an encrypted string must have room for
)

func (r *Room) attributeRoutes() []api.Route {
	one := append(inCollection(), api.Required("key", api.ID))
	routes := []api.Route{
		read(attributesPath, "attributes", r.listParams(inCollection()...), r.listAttributes),
		read(attributePath, "attributes", one, r.getAttribute),
		r.write(http.MethodDelete, attributePath, "attributes", one, r.deleteAttribute),
	}
	for _, k := range r.kinds() {
		create := r.write(http.MethodPost, attributesPath+"/"+k.endpoint, "attributes", createParams(k), r.createAttribute(k))
		update := r.write(http.MethodPatch, attributesPath+"/"+k.endpoint+"/{key}", "attributes", updateParams(k), r.updateAttribute(k))
		create.When, update.When = k.since, k.since
		routes = append(routes, create, update)
	}
	return routes
}

func createParams(k kind) []api.Param {
	params := append(inCollection(), api.Required("key", api.ID))
	params = append(params, k.create...)
	params = append(params, api.Required("required", api.StrictBool), api.Nullable("default", k.value))
	if !k.spatial() {
		params = append(params, api.Optional("array", api.StrictBool, false))
	}
	return params
}

func updateParams(k kind) []api.Param {
	params := append(inCollection(), api.Required("key", api.ID))
	byDefault := api.Nullable("default", k.value)
	byDefault.Required = !k.spatial()
	params = append(params, k.update...)
	return append(params, api.Required("required", api.StrictBool), byDefault, api.Nullable("newKey", api.ID))
}

func (r *Room) createAttribute(k kind) func(*api.Request) (api.Response, error) {
	return func(req *api.Request) (api.Response, error) {
		d := k.stored
		d.Key, d.Required, d.Array = req.String("key"), req.Bool("required"), req.Bool("array")
		d.Default, d.Encrypt = req.Value("default"), req.Bool("encrypt")
		d.Min, d.Max, d.Elements = req.Value("min"), req.Value("max"), req.Strings("elements")
		if d.Size == 0 {
			d.Size = int(req.Int("size"))
		}
		complete(&d)
		if d.Encrypt && d.Size < minEncrypted {
			return api.Response{}, apierr.BadRequest("general_bad_request",
				"Size too small. Encrypted strings require a minimum size of %d characters.", minEncrypted)
		}
		a, err := r.catalog.CreateAttribute(req.String("databaseId"), req.String("collectionId"), d)
		if err != nil {
			return api.Response{}, err
		}
		return api.Accepted(attribute(req.Dialect, a)), nil
	}
}

func (r *Room) updateAttribute(k kind) func(*api.Request) (api.Response, error) {
	return func(req *api.Request) (api.Response, error) {
		a, err := r.catalog.UpdateAttribute(req.String("databaseId"), req.String("collectionId"), req.String("key"),
			catalog.AttributeChange{
				Required: req.Bool("required"), Default: req.Value("default"), Size: int(req.Int("size")),
				Min: req.Value("min"), Max: req.Value("max"), Elements: req.Strings("elements"), NewKey: req.String("newKey"),
			})
		if err != nil {
			return api.Response{}, err
		}
		o := attributeHead(a)
		shape(o, k.stored, a.Definition)
		if o.Has("encrypt") {
			o.Set("encrypt", nil) // the answer to an update never knows
		}
		return api.OK(o), nil
	}
}

func (r *Room) getAttribute(req *api.Request) (api.Response, error) {
	_, a, err := r.catalog.Attribute(req.String("databaseId"), req.String("collectionId"), req.String("key"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(attribute(req.Dialect, a)), nil
}

func (r *Room) deleteAttribute(req *api.Request) (api.Response, error) {
	err := r.catalog.DeleteAttribute(req.String("databaseId"), req.String("collectionId"), req.String("key"))
	if err != nil {
		return api.Response{}, err
	}
	return api.NoContent(), nil
}

func (r *Room) listAttributes(req *api.Request) (api.Response, error) {
	col, err := r.catalog.Collection(req.String("databaseId"), req.String("collectionId"))
	if err != nil {
		return api.Response{}, err
	}
	return list(req, "attributes", col.Attributes, r.attributeList(), func(a *catalog.Attribute) *phpjson.Object {
		return attribute(req.Dialect, a)
	})
}

func (r *Room) attributeList() listing.Spec[*catalog.Attribute] {
	type attribute = *catalog.Attribute
	return listing.Spec[attribute]{
		Profile: r.catalog.Profile, Dates: r.dates,
		ID: func(a attribute) string { return a.Key },
		Fields: map[string]listing.Field[attribute]{
			"key":        listing.Text(func(a attribute) string { return a.Key }),
			"type":       listing.Text(func(a attribute) string { return a.Type }),
			"size":       listing.Int(func(a attribute) int { return a.Size }),
			"required":   listing.Bool(func(a attribute) bool { return a.Required }),
			"array":      listing.Bool(func(a attribute) bool { return a.Array }),
			"status":     listing.Text(func(a attribute) string { return string(a.Status) }),
			"error":      listing.Text(func(a attribute) string { return a.Error }),
			"$createdAt": listing.Time(func(a attribute) time.Time { return a.CreatedAt }),
			"$updatedAt": listing.Time(func(a attribute) time.Time { return a.UpdatedAt }),
		},
	}
}

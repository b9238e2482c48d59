package schema

import (
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

func (r *Room) relationshipRoutes() []api.Route {
	onDelete := api.OneOf("cascade", "restrict", "setNull")
	create := append(inCollection(),
		api.Required("relatedCollectionId", api.ID),
		api.Required("type", api.OneOf("oneToOne", "manyToOne", "manyToMany", "oneToMany")),
		api.Optional("twoWay", api.StrictBool, false),
		api.Nullable("key", api.ID),
		api.Nullable("twoWayKey", api.ID),
		api.Optional("onDelete", onDelete, "restrict"),
	)
	update := append(inCollection(),
		api.Required("key", api.ID),
		api.Nullable("onDelete", onDelete),
		api.Nullable("newKey", api.ID),
	)
	other := r.write(http.MethodPatch, attributesPath+"/relationship/{key}", "attributes", update, r.updateRelationship)
	other.Only = api.Legacy
	other.When = func(p profile.Profile) bool { return p.AtLeast(1, 9, 0) }
	return []api.Route{
		r.write(http.MethodPost, attributesPath+"/relationship", "attributes", create, r.createRelationship),
		r.write(http.MethodPatch, attributePath+"/relationship", "attributes", update, r.updateRelationship),
		other,
	}
}

func (r *Room) createRelationship(req *api.Request) (api.Response, error) {
	key := req.String("key")
	if key == "" {
		key = req.String("relatedCollectionId")
	}
	twoWayKey := req.String("twoWayKey")
	if twoWayKey == "" {
		twoWayKey = req.String("collectionId")
	}
	a, err := r.catalog.CreateRelationship(req.String("databaseId"), req.String("collectionId"), key, catalog.Relation{
		Collection: req.String("relatedCollectionId"),
		Type:       req.String("type"),
		TwoWay:     req.Bool("twoWay"),
		TwoWayKey:  twoWayKey,
		OnDelete:   req.String("onDelete"),
	})
	if err != nil {
		return api.Response{}, err
	}
	return api.Accepted(attribute(req.Dialect, a)), nil
}

func (r *Room) updateRelationship(req *api.Request) (api.Response, error) {
	a, err := r.catalog.UpdateRelationship(req.String("databaseId"), req.String("collectionId"), req.String("key"),
		req.String("onDelete"), req.String("newKey"))
	if err != nil {
		return api.Response{}, err
	}
	return api.OK(attribute(req.Dialect, a)), nil
}

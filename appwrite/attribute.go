package appwrite

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/appwrite/sdk-for-go/query"
)

// schemaPage holds all attributes or indexes that a collection can have: the
// backends with a limit stop at 1010 and 58, and the server takes any limit.
const schemaPage = 5000

// ListAttributes gives every attribute of a collection, in any status.
func (c *Client) ListAttributes(ctx context.Context, database, collection string) ([]Attribute, error) {
	var out []Attribute
	for {
		page, _, err := c.attributes(ctx, database, collection, query.Limit(schemaPage), query.Offset(len(out)))
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < schemaPage {
			return out, nil
		}
	}
}

// FindAttribute gives one attribute. It is ErrNotFound when there is none, and
// ErrContainerNotFound when the collection is missing. It asks by list: what
// the server says of a single attribute can be old.
func (c *Client) FindAttribute(ctx context.Context, database, collection, key string) (Attribute, error) {
	page, at, err := c.attributes(ctx, database, collection, query.Equal("key", key), query.Limit(1))
	if err != nil {
		return Attribute{}, err
	}
	if len(page) == 0 {
		return Attribute{}, absent("attribute", at)
	}
	return page[0], unlessTwin(key, page[0].Key)
}

// attributes gives one page of a collection's attributes and their path.
func (c *Client) attributes(ctx context.Context, database, collection string, queries ...string) ([]Attribute, string, error) {
	at, err := c.attributePath(ctx, database, collection)
	if err != nil {
		return nil, "", err
	}
	var page wireAttributes
	if err := c.list(ctx, at, &page, queries...); err != nil {
		return nil, at, err
	}
	models, err := attributeModels(either(page.Attributes, page.Columns))
	return models, at, err
}

// attributePath is the path of a collection's attributes, or below.
func (c *Client) attributePath(ctx context.Context, database, collection string, below ...string) (string, error) {
	if err := need(database, collection); err != nil {
		return "", err
	}
	s, err := c.scope(ctx, database, collection)
	if err != nil {
		return "", err
	}
	return s.at(append([]string{s.attribute + "s"}, below...)...)
}

// CreateAttribute asks for an attribute, which is processing then and is to be
// awaited. Relationships take CreateRelationship.
func (c *Client) CreateAttribute(ctx context.Context, database, collection string, attribute Attribute) (Attribute, error) {
	server, err := c.server(ctx)
	if err != nil {
		return Attribute{}, err
	}
	if err := creatable(attribute, server.Capabilities); err != nil {
		return Attribute{}, err
	}
	at, err := c.attributePath(ctx, database, collection, attribute.Type)
	if err != nil {
		return Attribute{}, err
	}
	return c.attribute(ctx, request{method: http.MethodPost, path: at, params: attributeParams(attribute)})
}

// attribute sends a request that answers with an attribute.
func (c *Client) attribute(ctx context.Context, req request) (Attribute, error) {
	var wire wireAttribute
	if err := c.do(ctx, req, &wire); err != nil {
		return Attribute{}, err
	}
	return wire.model()
}

// creatable says why the server's version cannot make an attribute.
func creatable(a Attribute, can Capabilities) error {
	able := true
	switch a.Type {
	case TypeString, TypeInteger, TypeFloat, TypeBoolean, TypeDatetime, TypeEmail, TypeEnum, TypeIP, TypeURL:
	case TypeVarchar, TypeText, TypeMediumText, TypeLongText:
		able = can.TextTypes
	case TypeBigInt:
		able = can.BigInt
	case TypePoint, TypeLine, TypePolygon:
		able = can.Spatial
	case TypeRelationship:
		return fmt.Errorf("%w: relationship %q takes CreateRelationship", ErrInvalid, a.Key)
	default:
		return fmt.Errorf("%w: attribute %q is of unknown type %q", ErrInvalid, a.Key, a.Type)
	}
	if !able {
		return unsupported("attributes of type " + a.Type)
	}
	return nil
}

// attributeParams gives the body of a creation. What is not set is left out:
// the server answers null with an error where a value cannot be null.
func attributeParams(a Attribute) map[string]any {
	params := map[string]any{"key": a.Key, "required": a.Required}
	if a.Array {
		params["array"] = true
	}
	if a.Default != nil {
		params["default"] = a.Default
	}
	if a.Encrypt {
		params["encrypt"] = true
	}
	if a.Min != "" {
		params["min"] = a.Min
	}
	if a.Max != "" {
		params["max"] = a.Max
	}
	switch a.Type {
	case TypeString, TypeVarchar:
		params["size"] = a.Size
	case TypeEnum:
		params["elements"] = append([]string{}, a.Elements...)
	}
	return params
}

// UpdateAttribute changes an attribute, which must be available.
//
// A nil Default does not clear what new documents get: the server then shows
// null and goes on applying the old default. To clear it, make the attribute
// required, then optional again, both without default.
func (c *Client) UpdateAttribute(ctx context.Context, database, collection, key string, patch AttributePatch) (Attribute, error) {
	if patch.Type == TypeRelationship {
		return Attribute{}, fmt.Errorf("%w: relationship %q takes UpdateRelationship", ErrInvalid, key)
	}
	at, err := c.attributePath(ctx, database, collection, patch.Type, key)
	if err != nil {
		return Attribute{}, err
	}
	if patch.Type == TypeFloat && patch.Default == nil {
		if err := c.loosenDefault(ctx, database, collection, key, at, patch); err != nil {
			return Attribute{}, err
		}
	}
	return c.attribute(ctx, request{method: http.MethodPatch, path: at, params: patchParams(patch)})
}

// patchParams gives the body of an update.
func patchParams(patch AttributePatch) map[string]any {
	params := map[string]any{"required": patch.Required}
	switch {
	case patch.Default != nil:
		params["default"] = patch.Default
	case patch.Type != TypePoint && patch.Type != TypeLine && patch.Type != TypePolygon:
		params["default"] = json.RawMessage("null") // has to be there
	}
	if patch.Size != nil {
		params["size"] = *patch.Size
	}
	lowest, highest := bounds(patch.Type)
	if patch.Min != "" {
		params["min"] = orLimit(patch.Min, lowest)
	}
	if patch.Max != "" {
		params["max"] = orLimit(patch.Max, highest)
	}
	if patch.Type == TypeEnum {
		params["elements"] = append([]string{}, patch.Elements...)
	}
	if patch.NewKey != "" {
		params["newKey"] = patch.NewKey
	}
	return params
}

func orLimit(bound, limit json.Number) json.Number {
	if bound == Unlimited {
		return limit
	}
	return bound
}

// DeleteAttribute asks for an attribute's removal, which is to be awaited. An
// attribute of a two-way relationship takes its other side with it.
func (c *Client) DeleteAttribute(ctx context.Context, database, collection, key string) error {
	at, err := c.attributePath(ctx, database, collection, key)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: at}, nil)
}

// CreateRelationship asks for a relationship, which is to be awaited. An empty
// Key is the related collection's id, an empty TwoWayKey the own one's.
func (c *Client) CreateRelationship(ctx context.Context, database, collection string, attribute Attribute) (Attribute, error) {
	to := attribute.Relationship
	if to == nil || to.Related == "" || to.Type == "" {
		return Attribute{}, fmt.Errorf("%w: relationship %q needs a related collection and a type", ErrInvalid, attribute.Key)
	}
	s, err := c.scope(ctx, database, collection)
	if err != nil {
		return Attribute{}, err
	}
	at, err := c.attributePath(ctx, database, collection, TypeRelationship)
	if err != nil {
		return Attribute{}, err
	}
	params := map[string]any{s.related: to.Related, "type": to.Type, "twoWay": to.TwoWay}
	for name, value := range map[string]string{"key": attribute.Key, "twoWayKey": to.TwoWayKey, "onDelete": to.OnDelete} {
		if value != "" {
			params[name] = value
		}
	}
	return c.attribute(ctx, request{method: http.MethodPost, path: at, params: params})
}

// UpdateRelationship changes what happens on delete, or the key.
func (c *Client) UpdateRelationship(ctx context.Context, database, collection, key string, patch RelationshipPatch) (Attribute, error) {
	at, err := c.attributePath(ctx, database, collection, key, TypeRelationship) // the form that all versions have
	if err != nil {
		return Attribute{}, err
	}
	params := map[string]any{}
	if patch.OnDelete != "" {
		params["onDelete"] = patch.OnDelete
	}
	if patch.NewKey != "" {
		params["newKey"] = patch.NewKey
	}
	return c.attribute(ctx, request{method: http.MethodPatch, path: at, params: params})
}

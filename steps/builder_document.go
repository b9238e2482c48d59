package steps

import (
	"encoding/json"
	"fmt"

	"github.com/backstep-dev/backstep/engine"
)

// DocumentBuilder chains steps on one document.
type DocumentBuilder struct {
	c  *CollectionBuilder
	id string
}

// Document speaks of a document; it appends nothing. An empty id is drawn when
// the document is created.
func (c *CollectionBuilder) Document(id string) *DocumentBuilder {
	return &DocumentBuilder{c: c, id: id}
}

// Create creates the document. Options: Permissions, Times.
func (d *DocumentBuilder) Create(data map[string]any, options ...Option) {
	s := d.c.b.settings("create_document", options, "Permissions", "Times")
	d.c.b.append(func() (engine.Step, error) {
		step := CreateDocument{
			Database: d.c.database, Collection: d.c.id, ID: d.id, CreatedAt: s.createdAt, UpdatedAt: s.updatedAt,
		}
		if s.permissions != nil {
			step.Permissions = *s.permissions
		}
		var err error
		step.Data, err = jsonFields(data)
		return step, err
	}, s)
}

// Update changes fields of the document. Options: Permissions.
func (d *DocumentBuilder) Update(data map[string]any, options ...Option) {
	s := d.c.b.settings("update_document", options, "Permissions")
	d.c.b.append(func() (engine.Step, error) {
		fields, err := jsonFields(data)
		return UpdateDocument{
			Database: d.c.database, Collection: d.c.id, ID: d.id, Data: fields, Permissions: s.permissions,
		}, err
	}, s)
}

// Upsert creates the document or changes fields of it. Options: Permissions.
func (d *DocumentBuilder) Upsert(data map[string]any, options ...Option) {
	s := d.c.b.settings("upsert_document", options, "Permissions")
	d.c.b.append(func() (engine.Step, error) {
		fields, err := jsonFields(data)
		return UpsertDocument{
			Database: d.c.database, Collection: d.c.id, ID: d.id, Data: fields, Permissions: s.permissions,
		}, err
	}, s)
}

// Delete deletes the document.
func (d *DocumentBuilder) Delete(options ...Option) {
	d.c.b.plain(DeleteDocument{Database: d.c.database, Collection: d.c.id, ID: d.id},
		d.c.b.settings("delete_document", options))
}

// IncrementBuilder refines an increment.
type IncrementBuilder struct{ step Increment }

// Increment adds a number, which may be negative, to a field.
func (d *DocumentBuilder) Increment(attribute string, by json.Number) *IncrementBuilder {
	i := &IncrementBuilder{step: Increment{
		Database: d.c.database, Collection: d.c.id, ID: d.id, Attribute: attribute, By: by,
	}}
	d.c.b.append(func() (engine.Step, error) { return i.step, nil }, settings{})
	return i
}

// AllowRace accepts what Increment.AllowRace says.
func (i *IncrementBuilder) AllowRace() *IncrementBuilder {
	i.step.AllowRace = true
	return i
}

// jsonFields turns Go values into the JSON values that documents hold.
func jsonFields(data map[string]any) (map[string]any, error) {
	raw, err := encode(data)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	var fields map[string]any
	if err := decodeStrict(raw, &fields); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return fields, nil
}

package steps

import (
	"github.com/backstep-dev/backstep/engine"
)

// CollectionBuilder chains steps on one collection.
type CollectionBuilder struct {
	b        *Builder
	database string
	id       string
}

// Create creates the collection. Options: Permissions, DocumentSecurity, Enabled.
func (c *CollectionBuilder) Create(name string, options ...Option) {
	s := c.b.settings("create_collection", options, "Permissions", "DocumentSecurity", "Enabled")
	step := CreateCollection{Database: c.database, ID: c.id, Name: name, Enabled: s.enabled}
	if s.permissions != nil {
		step.Permissions = *s.permissions
	}
	if s.documentSecurity != nil {
		step.DocumentSecurity = *s.documentSecurity
	}
	c.b.plain(step, s)
}

// Update changes the collection. Options: Named, Permissions, DocumentSecurity, Enabled.
func (c *CollectionBuilder) Update(options ...Option) {
	s := c.b.settings("update_collection", options, "Named", "Permissions", "DocumentSecurity", "Enabled")
	c.b.plain(UpdateCollection{
		Database: c.database, ID: c.id, Name: s.name,
		Permissions: s.permissions, DocumentSecurity: s.documentSecurity, Enabled: s.enabled,
	}, s)
}

// Delete deletes the collection with its documents, at the end of the run.
func (c *CollectionBuilder) Delete(options ...Option) {
	c.b.plain(DeleteCollection{Database: c.database, ID: c.id}, c.b.settings("delete_collection", options))
}

// Assert fails the run unless a is so; its database and collection are these.
func (c *CollectionBuilder) Assert(a Assert, options ...Option) {
	a.Database, a.Collection = c.database, c.id
	c.b.plain(a, c.b.settings("assert", options))
}

// RenameAttribute gives an attribute another key.
func (c *CollectionBuilder) RenameAttribute(key, newKey string, options ...Option) {
	c.b.plain(RenameAttribute{Database: c.database, Collection: c.id, Key: key, NewKey: newKey},
		c.b.settings("rename_attribute", options))
}

// FillAttribute gives documents a value in an attribute that have none there:
// what the attribute from holds, and where that is "" or holds nothing, value,
// which may be nil.
func (c *CollectionBuilder) FillAttribute(key, from string, value any, options ...Option) {
	c.fill(FillAttribute{Key: key, From: from}, value, options)
}

// CopyAttribute makes an attribute equal to another one in every document.
func (c *CollectionBuilder) CopyAttribute(key, from string, options ...Option) {
	c.fill(FillAttribute{Key: key, From: from, Overwrite: true}, nil, options)
}

func (c *CollectionBuilder) fill(step FillAttribute, value any, options []Option) {
	step.Database, step.Collection = c.database, c.id
	s := c.b.settings("fill_attribute", options)
	c.b.append(func() (engine.Step, error) {
		raw, err := encode(value)
		step.Value = canonicalValue(raw)
		return step, err
	}, s)
}

// DeleteAttribute deletes an attribute: out of sight at once, for good at the
// end of the run.
func (c *CollectionBuilder) DeleteAttribute(key string, options ...Option) {
	c.b.plain(DeleteAttribute{Database: c.database, Collection: c.id, Key: key},
		c.b.settings("delete_attribute", options))
}

// DeleteRelationship deletes a relationship, on both sides.
func (c *CollectionBuilder) DeleteRelationship(key string, options ...Option) {
	c.b.plain(DeleteRelationship{Database: c.database, Collection: c.id, Key: key},
		c.b.settings("delete_relationship", options))
}

// DeleteIndex deletes an index.
func (c *CollectionBuilder) DeleteIndex(key string, options ...Option) {
	c.b.plain(DeleteIndex{Database: c.database, Collection: c.id, Key: key},
		c.b.settings("delete_index", options))
}

// IndexBuilder refines an index that is created.
type IndexBuilder struct{ step CreateIndex }

// Index creates an index over attributes: Key, Unique, Fulltext or Spatial.
func (c *CollectionBuilder) Index(key string, kind string, attributes ...string) *IndexBuilder {
	i := &IndexBuilder{step: CreateIndex{
		Database: c.database, Collection: c.id, Key: key, Type: kind, Attributes: attributes,
	}}
	c.b.append(func() (engine.Step, error) { return i.step, nil }, settings{})
	return i
}

// UpdateIndex gives an index another definition, by deleting and creating it.
func (c *CollectionBuilder) UpdateIndex(key, kind string, attributes []string, options ...Option) {
	c.b.plain(UpdateIndex{Database: c.database, Collection: c.id, Key: key, Type: kind, Attributes: attributes},
		c.b.settings("update_index", options))
}

// Orders sets ASC or DESC for each attribute.
func (i *IndexBuilder) Orders(orders ...string) *IndexBuilder {
	i.step.Orders = orders
	return i
}

// Lengths sets how much of each attribute is indexed; 0 is all of it.
func (i *IndexBuilder) Lengths(lengths ...int) *IndexBuilder {
	i.step.Lengths = lengths
	return i
}

// RelationshipBuilder refines a relationship that is created.
type RelationshipBuilder struct{ step CreateRelationship }

// OneToOne relates each document to at most one, and the other way round.
func (c *CollectionBuilder) OneToOne(key, related string) *RelationshipBuilder {
	return c.relationship(OneToOne, key, related)
}

// OneToMany relates each document to any number that have no other.
func (c *CollectionBuilder) OneToMany(key, related string) *RelationshipBuilder {
	return c.relationship(OneToMany, key, related)
}

// ManyToOne relates each document to at most one, which may have many.
func (c *CollectionBuilder) ManyToOne(key, related string) *RelationshipBuilder {
	return c.relationship(ManyToOne, key, related)
}

// ManyToMany relates documents freely.
func (c *CollectionBuilder) ManyToMany(key, related string) *RelationshipBuilder {
	return c.relationship(ManyToMany, key, related)
}

func (c *CollectionBuilder) relationship(kind, key, related string) *RelationshipBuilder {
	r := &RelationshipBuilder{step: CreateRelationship{
		Database: c.database, Collection: c.id, Key: key, Related: related, Type: kind,
	}}
	c.b.append(func() (engine.Step, error) { return r.step, nil }, settings{})
	return r
}

// TwoWay shows the relationship in the related collection too, under a key.
func (r *RelationshipBuilder) TwoWay(key string) *RelationshipBuilder {
	r.step.TwoWay, r.step.TwoWayKey = true, key
	return r
}

// OnDelete says what deleting a document does to related ones: restrict (the
// default), cascade or setNull.
func (r *RelationshipBuilder) OnDelete(action string) *RelationshipBuilder {
	r.step.OnDelete = action
	return r
}

// UpdateRelationship changes what deleting a document does to related ones.
func (c *CollectionBuilder) UpdateRelationship(key, onDelete string, options ...Option) {
	c.b.plain(UpdateRelationship{Database: c.database, Collection: c.id, Key: key, OnDelete: onDelete},
		c.b.settings("update_relationship", options))
}

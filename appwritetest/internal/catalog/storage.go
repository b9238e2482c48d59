package catalog

import "errors"

// ErrDuplicate is what Storage answers when records already hold the same
// values in a unique index.
var ErrDuplicate = errors.New("catalog: records share a unique value")

// Storage is what the catalog asks of the room that keeps the records. The
// catalog calls it under the project lock, before it changes c.Schema.
type Storage interface {
	CreateCollection(c *Collection) error
	// DropCollection removes the records of a collection by sequence.
	DropCollection(sequence int64) error
	// AddAttribute makes the attribute null in every record.
	AddAttribute(c *Collection, d Definition) error
	// DropAttribute removes the values of an attribute.
	DropAttribute(c *Collection, key string) error
	RenameAttribute(c *Collection, from, to string) error
	// LongestText is the length in characters of the longest value.
	LongestText(c *Collection, key string) (int, error)
	// Empty says whether the collection has no record.
	Empty(c *Collection) (bool, error)
	// CreateIndex fails with ErrDuplicate when a unique index cannot hold.
	CreateIndex(c *Collection, d IndexDefinition) error
	DropIndex(c *Collection, key string) error
}

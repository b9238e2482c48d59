package catalog

import (
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// What the catalog has to know of the records.

// empty says whether a collection has no record.
func (c *Catalog) empty(col *Collection) (bool, error) {
	for _, err := range c.Store.Scan(col.Sequence, 0, store.Ascending) {
		return false, err
	}
	return true, nil
}

// longestText is the length in characters of the longest value of an
// attribute.
func (c *Catalog) longestText(col *Collection, key string) (int, error) {
	d := col.Schema.Attribute(key)
	if d == nil {
		return 0, nil
	}
	longest := 0
	for record, err := range c.Store.Scan(col.Sequence, 0, store.Ascending) {
		if err != nil {
			return 0, err
		}
		if text, ok := record.Value(d.Column).(string); ok {
			longest = max(longest, utf8.RuneCountInString(text))
		}
	}
	return longest, nil
}

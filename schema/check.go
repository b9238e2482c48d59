package schema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
)

// Limits are what one server can hold. The zero value of a number means that
// there is no limit.
type Limits struct {
	Attributes   int // of a collection
	RowWidth     int // bytes; a collection must stay below it
	Indexes      int // of a collection, those of relationships included
	IndexLength  int // characters and counts, over all attributes of an index
	BigInt       bool
	TextTypes    bool // varchar, text, mediumtext, longtext
	Spatial      bool
	ArrayIndexes bool // key indexes on lists
	Transactions bool
	Timestamps   bool // set by the client
}

// DefaultLimits are those of Appwrite 1.9.6 on MariaDB.
func DefaultLimits() Limits {
	return Limits{Attributes: 1010, RowWidth: 65535, Indexes: 58, IndexLength: 768, BigInt: true, TextTypes: true, Spatial: true, Transactions: true, Timestamps: true}
}

// LimitsOf gives the limits of a server on an SQL backend.
func LimitsOf(server appwrite.Server) Limits {
	l := DefaultLimits()
	c := server.Capabilities
	l.BigInt, l.TextTypes, l.Spatial, l.ArrayIndexes = c.BigInt, c.TextTypes, c.Spatial, c.ArrayIndexes
	l.Transactions, l.Timestamps = c.Transactions, c.Timestamps
	return l
}

// LimitsFor gives the limits of a version such as "1.8.1", on an SQL backend.
func LimitsFor(version string) (Limits, error) {
	var major, minor, patch int
	if n, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n != 3 || err != nil || major < 0 || minor < 0 || patch < 0 {
		return Limits{}, fmt.Errorf("version %q is not three numbers such as 1.9.6", version)
	}
	since := func(minimum ...int) bool { return slices.Compare([]int{major, minor, patch}, minimum) >= 0 }
	l := DefaultLimits()
	l.BigInt, l.TextTypes, l.Spatial, l.ArrayIndexes = since(1, 9, 5), since(1, 9, 0), since(1, 8, 0), !since(1, 9, 0)
	l.Transactions, l.Timestamps = since(1, 8, 0), since(1, 8, 0)
	return l, nil
}

// Check tells whether a server with these limits can hold the model. The error
// is a *RefusedError (ErrRefused) with every reason. Nothing is asked of any
// server.
func Check(m Model, limits Limits) error {
	c := &checker{collector: &collector{}, limits: limits}
	c.problems = problems(m)
	file := "schema"
	for _, db := range m.Databases {
		for _, col := range db.Collections {
			if col.At.File != "" {
				file = col.At.File
			}
			c.collection(db, col)
		}
	}
	return refused(file, c.problems)
}

type checker struct {
	*collector
	limits Limits
}

// exceeds refuses what goes beyond a limit of the server.
func (c *collector) exceeds(limit Limit, at Position, format string, args ...any) {
	c.refuse(at, format, args...)
	c.problems[len(c.problems)-1].Limit = limit
}

// collection holds one collection against the limits.
func (c *checker) collection(db Database, col Collection) {
	attributes, indexes, width := len(col.Attributes), len(col.Indexes), 1067
	for _, a := range col.Attributes {
		c.supported(a)
		width += RowBytes(a)
	}
	// Each relationship has an index on either side, and the child side counts
	// as an attribute where it is visible.
	for _, other := range db.Collections {
		for _, a := range other.Attributes {
			rel := a.Relationship
			if rel == nil {
				continue
			}
			if other.ID == col.ID {
				indexes++
			}
			if rel.Related == col.ID && rel.TwoWay {
				indexes++
				attributes++
				width += RowBytes(a)
			}
		}
	}
	if limit := c.limits.Attributes; limit > 0 && attributes > limit {
		c.exceeds(LimitAttributes, col.At, "collection %s has %d attributes: a collection holds %d", col.ID, attributes, limit)
	}
	if limit := c.limits.RowWidth; limit > 0 && width >= limit {
		c.exceeds(LimitRowWidth, col.At, "the attributes of collection %s take %d bytes a row, where there is room for less than %d: strings of up to 16381 characters take four bytes a character, longer ones 20 bytes; widest: %s", col.ID, width, limit, widest(col))
	}
	if limit := c.limits.Indexes; limit > 0 && indexes > limit {
		c.exceeds(LimitIndexes, col.At, "collection %s has %d indexes, those of its relationships included: a collection holds %d", col.ID, indexes, limit)
	}
	for _, x := range col.Indexes {
		c.index(col, x)
	}
}

// widest names the attributes that take most of a row.
func widest(col Collection) string {
	sorted := slices.Clone(col.Attributes)
	slices.SortStableFunc(sorted, func(a, b Attribute) int { return RowBytes(b) - RowBytes(a) })
	var names []string
	for _, a := range sorted[:min(3, len(sorted))] {
		names = append(names, fmt.Sprintf("%s %d", a.Key, RowBytes(a)))
	}
	return strings.Join(names, ", ")
}

// supported refuses types that the server does not have.
func (c *checker) supported(a Attribute) {
	missing := ""
	switch a.Type {
	case appwrite.TypeBigInt:
		if !c.limits.BigInt {
			missing = "1.9.5"
		}
	case appwrite.TypeVarchar, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText:
		if !c.limits.TextTypes {
			missing = "1.9.0"
		}
	case appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon:
		if !c.limits.Spatial {
			missing = "1.8.0"
		}
	}
	if missing != "" {
		c.exceeds(LimitFeature, a.At, "attribute %s: this server has no type %s, which came with Appwrite %s", a.Key, a.Type, missing)
	}
}

// index holds one index against the limits.
func (c *checker) index(col Collection, x Index) {
	total := 0
	for i, key := range x.Attributes {
		a := col.attribute(key)
		if a == nil {
			total++
			continue
		}
		if a.Array && (!c.limits.ArrayIndexes || x.Type != "key") {
			c.exceeds(LimitFeature, x.At, "index %s covers %s, a list: this server does not index lists with a %s index", x.Key, key, x.Type)
		}
		given := 0
		if i < len(x.Lengths) {
			given = x.Lengths[i]
		}
		total += indexedLength(*a, given)
	}
	if limit := c.limits.IndexLength; limit > 0 && total > limit && x.Type != "fulltext" {
		c.exceeds(LimitIndexLength, x.At, "index %s is %d long, where at most %d is allowed: give lengths, or index a shorter attribute", x.Key, total, limit)
	}
}

// indexedLength is what an attribute adds to the length of an index.
func indexedLength(a Attribute, given int) int {
	switch {
	case a.Array:
		return 255
	case given > 0:
		return given
	case characters(a) > 0:
		return characters(a)
	case a.Type == appwrite.TypeFloat:
		return 2
	default:
		return 1
	}
}

// characters is how many characters an attribute holds, 0 for those that hold none.
func characters(a Attribute) int {
	switch a.Type {
	case appwrite.TypeString, appwrite.TypeVarchar:
		return int(a.Size)
	case appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL, appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText:
		return int(fixedSizes(a.Type)[0])
	default:
		return 0
	}
}

// RowBytes is what an attribute adds to the width of a row on an SQL backend,
// in bytes.
func RowBytes(a Attribute) int {
	const outside = 20 // a value that is stored outside the row
	if a.Array {
		return outside
	}
	switch a.Type {
	case appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText:
		return outside
	case appwrite.TypeInteger:
		if high := rat(a.Max); high != nil && high.Cmp(rat("2147483647")) <= 0 {
			return 4
		}
		return 8
	case appwrite.TypeBigInt, appwrite.TypeFloat:
		return 8
	case appwrite.TypeBoolean:
		return 1
	case appwrite.TypeDatetime:
		return 7
	case appwrite.TypeRelationship:
		return 1021
	case appwrite.TypePoint:
		return 25
	}
	switch n := characters(a); {
	case n == 0 || n > 16381:
		return outside
	case n > 255:
		return 4*n + 2
	default:
		return 4*n + 1
	}
}

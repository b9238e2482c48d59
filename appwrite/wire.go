package appwrite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The answers of both dialects. Where they name a thing differently, a field
// stands for each name, and at most one of the two is there.

type wireDatabase struct {
	ID        string `json:"$id"`
	Name      string `json:"name"`
	Enabled   bool   `json:"enabled"`
	Type      string `json:"type"`
	CreatedAt string `json:"$createdAt"`
	UpdatedAt string `json:"$updatedAt"`
}

type wireDatabases struct {
	Databases []wireDatabase `json:"databases"`
}

type wireCollection struct {
	ID               string          `json:"$id"`
	DatabaseID       string          `json:"databaseId"`
	Name             string          `json:"name"`
	Enabled          bool            `json:"enabled"`
	DocumentSecurity bool            `json:"documentSecurity"`
	RowSecurity      bool            `json:"rowSecurity"`
	Permissions      []string        `json:"$permissions"`
	Attributes       []wireAttribute `json:"attributes"`
	Columns          []wireAttribute `json:"columns"`
	Indexes          []wireIndex     `json:"indexes"`
	BytesMax         int64           `json:"bytesMax"`
	BytesUsed        int64           `json:"bytesUsed"`
	CreatedAt        string          `json:"$createdAt"`
	UpdatedAt        string          `json:"$updatedAt"`
}

type wireCollections struct {
	Collections []wireCollection `json:"collections"`
	Tables      []wireCollection `json:"tables"`
}

type wireAttribute struct {
	Key               string          `json:"key"`
	Type              string          `json:"type"`
	Format            string          `json:"format"`
	Status            string          `json:"status"`
	Error             string          `json:"error"`
	Required          bool            `json:"required"`
	Array             bool            `json:"array"`
	Default           json.RawMessage `json:"default"`
	Size              int64           `json:"size"`
	Encrypt           bool            `json:"encrypt"`
	Min               json.Number     `json:"min"`
	Max               json.Number     `json:"max"`
	Elements          []string        `json:"elements"`
	RelatedCollection string          `json:"relatedCollection"`
	RelatedTable      string          `json:"relatedTable"`
	RelationType      string          `json:"relationType"`
	TwoWay            bool            `json:"twoWay"`
	TwoWayKey         string          `json:"twoWayKey"`
	OnDelete          string          `json:"onDelete"`
	Side              string          `json:"side"`
	CreatedAt         string          `json:"$createdAt"`
	UpdatedAt         string          `json:"$updatedAt"`
}

type wireAttributes struct {
	Attributes []wireAttribute `json:"attributes"`
	Columns    []wireAttribute `json:"columns"`
}

type wireIndex struct {
	Key        string        `json:"key"`
	Type       string        `json:"type"`
	Status     string        `json:"status"`
	Error      string        `json:"error"`
	Attributes []string      `json:"attributes"`
	Columns    []string      `json:"columns"`
	Orders     gappy[string] `json:"orders"`
	Lengths    gappy[int]    `json:"lengths"` // null, as 1.7 answers to a creation, reads as 0
	CreatedAt  string        `json:"$createdAt"`
	UpdatedAt  string        `json:"$updatedAt"`
}

// gappy is a list in which places may be missing. PHP writes such a list as an
// object of its places: {"1":null} are the orders that 1.8 has for an attribute
// and a list after it. A place that is missing reads as the zero value.
type gappy[T any] []T

// maxPlaces is far more than an index has attributes (100), so that an answer
// with one huge place takes no memory.
const maxPlaces = 1000

func (g *gappy[T]) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, (*[]T)(g))
	}
	var places map[int]T // a key that is no number is an error
	if err := json.Unmarshal(data, &places); err != nil {
		return err
	}
	list := []T{}
	for place, item := range places {
		if place < 0 || place >= maxPlaces {
			return fmt.Errorf("a list has no place %d", place)
		}
		list = append(list, make([]T, max(0, place+1-len(list)))...)
		list[place] = item
	}
	*g = list
	return nil
}

type wireIndexes struct {
	Indexes []wireIndex `json:"indexes"`
}

func (w wireDatabase) model() Database { return Database(w) }

func (w wireCollection) model() (Collection, error) {
	c := Collection{
		ID: w.ID, DatabaseID: w.DatabaseID, Name: w.Name, Enabled: w.Enabled,
		DocumentSecurity: w.DocumentSecurity || w.RowSecurity, Permissions: w.Permissions,
		BytesMax: w.BytesMax, BytesUsed: w.BytesUsed, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
	var err error
	if c.Attributes, err = attributeModels(either(w.Attributes, w.Columns)); err != nil {
		return Collection{}, fmt.Errorf("collection %q: %w", w.ID, err)
	}
	c.Indexes = indexModels(w.Indexes)
	return c, nil
}

func (w wireCollections) models() ([]Collection, error) {
	var out []Collection
	for _, one := range either(w.Collections, w.Tables) {
		model, err := one.model()
		if err != nil {
			return nil, err
		}
		out = append(out, model)
	}
	return out, nil
}

// The stored types and formats that the creating routes call otherwise.
const (
	storedDouble     = "double"
	storedLinestring = "linestring"
)

// The limits that an answer shows where no bound was set.
const (
	minInt64 = "-9223372036854775808"
	maxInt64 = "9223372036854775807"
)

func (w wireAttribute) model() (Attribute, error) {
	a := Attribute{
		Key: w.Key, Type: w.Type, Status: w.Status, Error: w.Error, Required: w.Required, Array: w.Array,
		Size: w.Size, Encrypt: w.Encrypt, Elements: w.Elements, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
	switch {
	case w.Type == TypeString && w.Format != "":
		a.Type = w.Format
	case w.Type == storedDouble:
		a.Type = TypeFloat
	case w.Type == storedLinestring:
		a.Type = TypeLine
	case w.Type == TypeRelationship:
		a.Relationship = &Relationship{
			Related: w.RelatedCollection + w.RelatedTable, Type: w.RelationType, TwoWay: w.TwoWay,
			TwoWayKey: w.TwoWayKey, OnDelete: w.OnDelete, Side: w.Side,
		}
	}
	if lowest, highest := bounds(a.Type); lowest != "" {
		a.Min, a.Max = unlessSame(w.Min, lowest), unlessSame(w.Max, highest)
	}
	var err error
	if a.Default, err = plainJSON(w.Default); err != nil {
		return Attribute{}, fmt.Errorf("default of attribute %q: %w", w.Key, err)
	}
	return a, nil
}

// bounds gives the limits of a type that has any.
func bounds(kind string) (lowest, highest json.Number) {
	switch kind {
	case TypeInteger, TypeBigInt:
		return minInt64, maxInt64
	case TypeFloat:
		return "-1.7976931348623157e+308", "1.7976931348623157e+308"
	default:
		return "", ""
	}
}

func unlessSame(bound, limit json.Number) json.Number {
	if strings.EqualFold(string(bound), string(limit)) {
		return ""
	}
	return bound
}

// plainJSON writes a JSON value without needless escapes, so that equal values
// are equal bytes; numbers keep their text. Null is nil.
func plainJSON(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var value any
	if err := decode(string(raw), &value); err != nil || value == nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func attributeModels(wire []wireAttribute) ([]Attribute, error) {
	out := make([]Attribute, 0, len(wire))
	for _, w := range wire {
		a, err := w.model()
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func (w wireIndex) model() Index {
	return Index{
		Key: w.Key, Type: w.Type, Status: w.Status, Error: w.Error, Attributes: either(w.Attributes, w.Columns),
		Orders: w.Orders, Lengths: w.Lengths, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
}

func indexModels(wire []wireIndex) []Index {
	out := make([]Index, 0, len(wire))
	for _, w := range wire {
		out = append(out, w.model())
	}
	return out
}

// either gives the list that is there.
func either[T any](classic, renamed []T) []T {
	if classic != nil {
		return classic
	}
	return renamed
}

package schema

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Rename says that an attribute or relationship has another key now.
type Rename struct {
	Database, Collection string
	From, To             string // keys
}

// String gives the rename as ParseRename reads it: "shop.products.title=name".
func (r Rename) String() string {
	return fmt.Sprintf("%s.%s.%s=%s", r.Database, r.Collection, r.From, r.To)
}

// Candidate is a rename that is likely by the look of the two attributes.
type Candidate struct {
	Rename
	Score   float64  // from 0 to 1; none below 0.5 is given
	Reasons []string // what is alike
}

// Fill is a value for documents that have none.
type Fill struct {
	Database, Collection, Key string
	Value                     json.RawMessage
}

// ParseRename reads "database.collection.old=new"; slashes may stand for the
// dots. The names are looked up in from, since ids may have dots themselves.
func ParseRename(from Model, text string) (Rename, error) {
	return Rename{}, errors.New("not yet")
}

// ParseFill reads "database.collection.attribute=value". The value is JSON, or
// text as it stands for an attribute that holds text. The names are looked up
// in to.
func ParseFill(to Model, text string) (Fill, error) {
	return Fill{}, errors.New("not yet")
}

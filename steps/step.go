// Package steps holds the typed changes a migration is made of: one kind a file,
// each answering the questions of engine.Step for one kind of Appwrite object.
//
// A step is made unbound, as plain data, by a file, by the builder or by hand;
// Bind and Codec give it the client it acts through. Kinds that only undo others
// (drop_, restore_, retire_, revive_) make the set closed under Inverse, so that
// an undo is journaled, retried and undone like anything else.
package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// bindable is a step of this package: plain data until bound to a client.
type bindable interface {
	engine.Step
	// Validate checks the step's own fields without a server; its error is a
	// *FieldError.
	Validate() error
	// bind returns a copy of the step that acts through client.
	bind(client *appwrite.Client) engine.Step
}

// decoder makes an unbound step from its canonical JSON.
type decoder func(data json.RawMessage) (bindable, error)

// kinds lists every kind that can be written down; a new kind is one line here.
func kinds() map[string]decoder {
	return map[string]decoder{
		"create_database":      as[CreateDatabase],
		"update_database":      as[UpdateDatabase],
		"delete_database":      as[DeleteDatabase],
		"retire_database":      as[RetireDatabase],
		"drop_database":        as[DropDatabase],
		"restore_database":     as[RestoreDatabase],
		"create_collection":    as[CreateCollection],
		"update_collection":    as[UpdateCollection],
		"delete_collection":    as[DeleteCollection],
		"retire_collection":    as[RetireCollection],
		"drop_collection":      as[DropCollection],
		"restore_collection":   as[RestoreCollection],
		"create_attribute":     as[CreateAttribute],
		"update_attribute":     as[UpdateAttribute],
		"rename_attribute":     as[RenameAttribute],
		"fill_attribute":       as[FillAttribute],
		"delete_attribute":     as[DeleteAttribute],
		"retire_attribute":     as[RetireAttribute],
		"revive_attribute":     as[ReviveAttribute],
		"drop_attribute":       as[DropAttribute],
		"restore_attribute":    as[RestoreAttribute],
		"create_relationship":  as[CreateRelationship],
		"update_relationship":  as[UpdateRelationship],
		"delete_relationship":  as[DeleteRelationship],
		"drop_relationship":    as[DropRelationship],
		"restore_relationship": as[RestoreRelationship],
		"create_index":         as[CreateIndex],
		"update_index":         as[UpdateIndex],
		"delete_index":         as[DeleteIndex],

		"create_document":  as[CreateDocument],
		"create_documents": as[CreateDocuments],
		"delete_documents": as[DeleteDocuments],
		"update_document":  as[UpdateDocument],
		"delete_document":  as[DeleteDocument],
		"restore_document": as[RestoreDocument],
		"upsert_document":  as[UpsertDocument],
		"increment":        as[Increment],
		"assert":           as[Assert],
	}
}

// as decodes the fields of one kind, refusing unknown ones.
func as[T bindable](data json.RawMessage) (bindable, error) {
	var step T
	if err := decodeStrict(data, &step); err != nil {
		return nil, err
	}
	return step, nil
}

// decodeStrict decodes exactly one JSON value without unknown fields and
// without rounding numbers.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

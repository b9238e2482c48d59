package tx

import (
	"slices"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// Action is what an operation does.
type Action string

// The actions.
const (
	Create     Action = "create"
	Update     Action = "update"
	Upsert     Action = "upsert"
	Delete     Action = "delete"
	Increment  Action = "increment"
	Decrement  Action = "decrement"
	BulkCreate Action = "bulkCreate"
	BulkUpdate Action = "bulkUpdate"
	BulkUpsert Action = "bulkUpsert"
	BulkDelete Action = "bulkDelete"
)

// Operation is one staged write.
type Operation struct {
	Dialect    api.Dialect
	Action     Action
	Database   string
	Collection string
	Container  int64             // sequence of the collection
	Record     string            // id, of all but the bulk actions
	Data       *phpjson.Object   // fields, or the parameters of the action
	Items      []*phpjson.Object // of bulkCreate and bulkUpsert
	StagedAt   time.Time
}

// parse reads one operation as a client sends it. Only its form is checked.
func parse(dialect api.Dialect, sent any) (Operation, error) {
	object, ok := sent.(*phpjson.Object)
	if !ok {
		return Operation{}, invalid("each operation must be an object")
	}
	op := Operation{Dialect: dialect}
	for name, into := range map[string]*string{
		"databaseId": &op.Database, dialect.Word("collectionId"): &op.Collection, "action": (*string)(&op.Action),
	} {
		value, _ := object.Get(name)
		if *into, ok = value.(string); !ok || *into == "" {
			return Operation{}, invalid("key %q is required", name)
		}
	}
	if err := op.parseRecord(object); err != nil {
		return Operation{}, err
	}
	return op, op.parseData(object)
}

func (op *Operation) parseRecord(object *phpjson.Object) error {
	switch op.Action {
	case BulkCreate, BulkUpdate, BulkUpsert, BulkDelete:
		return nil
	case Create, Update, Upsert, Delete, Increment, Decrement:
	default:
		return invalid("unknown action %q", op.Action)
	}
	name := op.Dialect.Word("documentId")
	value, _ := object.Get(name)
	id, ok := value.(string)
	if !ok || id == "" {
		return invalid("key %q is required for %s", name, op.Action)
	}
	op.Record = id
	return nil
}

func (op *Operation) parseData(object *phpjson.Object) error {
	if op.Action == Delete {
		return nil
	}
	data, _ := object.Get("data")
	switch data := data.(type) {
	case []any:
		return op.parseItems(data)
	case *phpjson.Object:
		op.Data = data
	default:
		return invalid("key \"data\" is required for %s", op.Action)
	}
	for _, name := range op.required() {
		if !op.Data.Has(name) {
			return invalid("key %q is required in the data of %s", name, op.Action)
		}
	}
	return nil
}

// parseItems reads a list, which PHP cannot tell from an object when it is empty.
func (op *Operation) parseItems(list []any) error {
	op.Data = &phpjson.Object{}
	if op.Action != BulkCreate && op.Action != BulkUpsert {
		if len(list) > 0 || len(op.required()) > 0 {
			return invalid("the data of %s must be an object", op.Action)
		}
		return nil
	}
	for _, item := range list {
		record, ok := item.(*phpjson.Object)
		if !ok {
			return invalid("the data of %s must be a list of objects", op.Action)
		}
		op.Items = append(op.Items, record)
	}
	return nil
}

// required are the keys that the data must have.
func (op *Operation) required() []string {
	switch op.Action {
	case Increment, Decrement:
		return []string{op.Dialect.Word("attribute")}
	case BulkUpdate:
		return []string{"queries", "data"}
	case BulkDelete:
		return []string{"queries"}
	default:
		return nil
	}
}

// Queries are the query texts of bulkUpdate and bulkDelete.
func (op *Operation) Queries() []string {
	value, _ := op.Data.Get("queries")
	list, _ := value.([]any)
	var texts []string
	for _, element := range list {
		if text, ok := element.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Needs says whether the record has to be there when the operation is staged.
func (op *Operation) Needs() bool {
	return slices.Contains([]Action{Update, Delete, Increment, Decrement}, op.Action)
}

func invalid(format string, args ...any) error {
	return apierr.Argument("Invalid `operations` param: "+format, args...)
}

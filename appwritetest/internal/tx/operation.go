package tx

import (
	"slices"
	"strconv"
	"strings"
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
		if *into, ok = value.(string); !ok || strings.TrimSpace(*into) == "" {
			return Operation{}, invalid("key %q is required", name)
		}
	}
	if err := op.parseRecord(object); err != nil {
		return Operation{}, err
	}
	return op, op.parseData(object)
}

func (op *Operation) parseRecord(object *phpjson.Object) error {
	if !op.Bulk() && !op.single() {
		return invalid("unknown action %q", op.Action)
	}
	name := op.Dialect.Word("documentId")
	value, given := object.Get(name)
	if !given && op.Bulk() {
		return nil
	}
	id, _ := value.(string)
	if strings.TrimSpace(id) == "" {
		return invalid("key %q is required for %s", name, op.Action)
	}
	op.Record = id
	return nil
}

func (op *Operation) parseData(object *phpjson.Object) error {
	data, given := object.Get("data")
	if op.Action == Delete && !given {
		return nil
	}
	switch data := data.(type) {
	case []any:
		if err := op.parseItems(data); err != nil {
			return err
		}
	case *phpjson.Object:
		op.Data = data.Clone()
	default:
		return invalid("key \"data\" is required for %s", op.Action)
	}
	for _, name := range op.required() {
		if !op.Data.Has(name) {
			return invalid("key %q is required in the data of %s", name, op.Action)
		}
	}
	if op.Action == BulkUpdate || op.Action == BulkDelete {
		return op.checkBulk()
	}
	return op.parseNumbers()
}

// checkBulk wants queries and data to be arrays, which to PHP objects are too.
func (op *Operation) checkBulk() error {
	for _, name := range op.required() {
		value, _ := op.Data.Get(name)
		switch value.(type) {
		case []any, *phpjson.Object:
		default:
			return invalid("key %q must be an array for %s", name, op.Action)
		}
	}
	return nil
}

// parseNumbers reads the numbers of an increment, which may be text. Only the
// amount has to be one.
func (op *Operation) parseNumbers() error {
	if op.Action != Increment && op.Action != Decrement {
		return nil
	}
	for _, name := range []string{"value", "min", "max"} {
		value, given := op.Data.Get(name)
		if !given {
			continue
		}
		number, why := api.Numeric(value)
		switch {
		case why == "":
			op.Data.Set(name, number)
		case name == "value":
			return invalid("key \"value\" must be a numeric value for %s", op.Action)
		}
	}
	return nil
}

// parseItems reads a list, which PHP takes for an object with numbers as keys
// where it expects one.
func (op *Operation) parseItems(list []any) error {
	op.Data = &phpjson.Object{}
	for i, item := range list {
		record, ok := item.(*phpjson.Object)
		switch {
		case op.Action != BulkCreate && op.Action != BulkUpsert:
			op.Data.Set(strconv.Itoa(i), item)
		case ok:
			op.Items = append(op.Items, record)
		default:
			return invalid("the data of %s must be a list of objects", op.Action)
		}
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

// Bulk says whether the operation is about any number of records.
func (op *Operation) Bulk() bool {
	return slices.Contains([]Action{BulkCreate, BulkUpdate, BulkUpsert, BulkDelete}, op.Action)
}

func (op *Operation) single() bool {
	return slices.Contains([]Action{Create, Update, Upsert, Delete, Increment, Decrement}, op.Action)
}

// Needs says whether the record has to be there when the operation is staged.
func (op *Operation) Needs() bool {
	return slices.Contains([]Action{Update, Delete, Increment, Decrement}, op.Action)
}

func invalid(format string, args ...any) error {
	return apierr.Argument("Invalid `operations` param: "+format, args...)
}

package documents

import (
	"errors"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/operator"
	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// commit is a transaction being carried out.
type commit struct {
	*Room
	w store.Writer
	// touched are the records that this transaction has written: what it did
	// itself is no conflict.
	touched map[recordKey]bool
}

type recordKey struct {
	table int64
	id    string // folded
}

// Commit implements tx.Records.
func (r *Room) Commit(operations []tx.Operation) error {
	err := r.Store.Update(func(w store.Writer) error {
		c := commit{Room: r, w: w, touched: map[recordKey]bool{}}
		for _, op := range operations {
			if err := c.run(op); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrDuplicate) {
		return transactionConflict()
	}
	return err
}

func transactionConflict() error {
	return apierr.Conflict("transaction_conflict", "The transaction has a conflict. Please try again.")
}

func (c commit) run(op tx.Operation) error {
	col := c.Catalog.CollectionBySequence(op.Container)
	if col == nil {
		return invalidStructure("the collection of an operation is gone")
	}
	switch op.Action {
	case tx.Create:
		return c.create(col, op, op.Record, op.Data)
	case tx.BulkCreate:
		for _, item := range op.Items {
			if err := c.create(col, op, itemID(item), item); err != nil {
				return err
			}
		}
		return nil
	case tx.Update:
		return c.update(col, op)
	case tx.Upsert:
		return c.upsert(col, op, op.Record, op.Data)
	case tx.BulkUpsert:
		for _, item := range op.Items {
			if err := c.upsert(col, op, itemID(item), item); err != nil {
				return err
			}
		}
		return nil
	case tx.Delete:
		return c.delete(col, op)
	case tx.BulkUpdate:
		return c.updateMany(col, op)
	case tx.BulkDelete:
		return c.deleteMany(col, op)
	default:
		return c.count(col, op)
	}
}

// itemID is the id of a bulk item; one that has none gets one.
func itemID(item *phpjson.Object) string {
	id, _ := item.Get("$id")
	if text, ok := id.(string); ok && text != "" {
		return text
	}
	return freshID()
}

// input reads the data of an operation, which went through JSON while it was
// staged. Times that the client set give way to those of the commit.
func (c commit) input(op tx.Operation, id string, data *phpjson.Object) (input, error) {
	again, err := phpjson.Decode(phpjson.Encode(data))
	if err != nil {
		return input{}, invalidStructure("%v", err)
	}
	sent, _ := object(again) // what was a list is an object with numbers as keys
	fields, _ := sent.(*phpjson.Object)
	in, err := c.read(op.Dialect, fields.Clone())
	if err != nil {
		return input{}, err
	}
	in.id, in.createdAt, in.updatedAt = id, nil, nil
	if op.Action == tx.Create || op.Action == tx.Update {
		err = permission.Check(in.permissions, true)
	}
	return in, err
}

func (c commit) touch(col *catalog.Collection, id string) {
	c.touched[recordKey{col.Sequence, c.Profile.Fold(id)}] = true
}

// fresh refuses a record that others have changed since the operation was
// staged.
func (c commit) fresh(col *catalog.Collection, op tx.Operation) func(*store.Record) error {
	return func(record *store.Record) error {
		if record != nil && !c.touched[recordKey{col.Sequence, c.Profile.Fold(record.ID)}] &&
			record.UpdatedAt > op.StagedAt.UnixMilli() {
			return transactionConflict()
		}
		return nil
	}
}

func (c commit) create(col *catalog.Collection, op tx.Operation, id string, data *phpjson.Object) error {
	in, err := c.input(op, id, data)
	if err != nil {
		return err
	}
	fields, err := c.operators(in.fields)
	if err != nil {
		return err
	}
	for key, sent := range fields.All() {
		if _, ok := sent.(operator.Operator); ok {
			return invalidStructure("Attribute \"%s\" holds an operator", key)
		}
	}
	_, err = c.insert(c.w, col, in)
	c.touch(col, id)
	return err
}

func (c commit) update(col *catalog.Collection, op tx.Operation) error {
	in, err := c.input(op, op.Record, op.Data)
	if err != nil {
		return err
	}
	_, err = c.change(c.w, col, in, c.fresh(col, op))
	c.touch(col, op.Record)
	return err
}

func (c commit) upsert(col *catalog.Collection, op tx.Operation, id string, data *phpjson.Object) error {
	in, err := c.input(op, id, data)
	if err != nil {
		return err
	}
	_, _, err = c.place(c.w, col, in, c.fresh(col, op))
	c.touch(col, id)
	return err
}

func (c commit) delete(col *catalog.Collection, op tx.Operation) error {
	record, err := c.w.Get(col.Sequence, op.Record)
	if err != nil {
		return err
	}
	if record == nil {
		return notFound(op.Record)
	}
	if err := c.fresh(col, op)(record); err != nil {
		return err
	}
	c.touch(col, op.Record)
	return c.remove(c.w, col, record)
}

// selected finds the records of a bulk operation and checks that each is
// fresh.
func (c commit) selected(col *catalog.Collection, op tx.Operation) ([]*store.Record, error) {
	set, err := c.selection(col, op.Queries())
	if err != nil {
		return nil, err
	}
	records, err := search{Room: c.Room, reader: c.w, col: col, set: set}.find(0)
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		if err := c.fresh(col, op)(record); err != nil {
			return nil, err
		}
		c.touch(col, record.ID)
	}
	return records, nil
}

func (c commit) updateMany(col *catalog.Collection, op tx.Operation) error {
	data, _ := op.Data.Get("data")
	fields, _ := data.(*phpjson.Object)
	in, err := c.input(op, "", fields.Clone())
	if err != nil {
		return err
	}
	if in.fields, err = c.operators(in.fields); err != nil {
		return err
	}
	if err := c.patch(col, &store.Record{}, withoutOperators(in.fields)); err != nil {
		return err
	}
	records, err := c.selected(col, op)
	if err != nil {
		return err
	}
	for _, record := range records {
		if _, err := c.overwrite(c.w, col, record, in); err != nil {
			return err
		}
	}
	return nil
}

func (c commit) deleteMany(col *catalog.Collection, op tx.Operation) error {
	records, err := c.selected(col, op)
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := c.remove(c.w, col, record); err != nil {
			return err
		}
	}
	return nil
}

// count carries out an increment or decrement, which knows no conflict.
func (c commit) count(col *catalog.Collection, op tx.Operation) error {
	name, _ := op.Data.Get(op.Dialect.Word("attribute"))
	s := step{id: op.Record, amount: int64(1)}
	s.attribute, _ = name.(string)
	if amount, given := op.Data.Get("value"); given {
		s.amount = amount
	}
	if f, ok := value.Float(s.amount); !ok || f <= 0 {
		return apierr.Unknown("Value must be numeric and greater than 0")
	}
	boundName := "max"
	if op.Action == tx.Decrement {
		boundName, s.amount = "min", negated(s.amount)
	}
	s.bound, _ = op.Data.Get(boundName)
	_, _, err := c.Room.count(c.w, col, s, func(*store.Record) error { return nil })
	c.touch(col, op.Record)
	var refusal *apierr.Error
	if errors.As(err, &refusal) && refusal.Type == "attribute_not_found" {
		return notFound(op.Record)
	}
	return err
}

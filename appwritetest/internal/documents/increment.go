package documents

import (
	"math"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/operator"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
	"github.com/backstep-dev/backstep/appwritetest/internal/tx"
	"github.com/backstep-dev/backstep/appwritetest/internal/value"
)

// step is an increment, or a decrement when amount is negative.
type step struct {
	id, attribute string
	amount        any // int64 or float64
	bound         any // nil for none: the most for an increment, the least for a decrement
}

// increment adds to a number of one record, or takes from it.
func (r *Room) increment(action tx.Action, bound string) func(*api.Request) (api.Response, error) {
	return func(req *api.Request) (api.Response, error) {
		s := step{id: req.String("documentId"), attribute: req.String("attribute"), amount: req.Value("value"), bound: req.Value(bound)}
		col, err := r.collection(req)
		if err != nil {
			return api.Response{}, err
		}
		if stages(req) {
			return r.stageStep(req, col, action, s, bound)
		}
		if f, _ := value.Float(s.amount); f <= 0 {
			return api.Response{}, apierr.Argument("Invalid `value` param: must be greater than 0")
		}
		if action == tx.Decrement {
			s.amount = negated(s.amount)
		}
		var body *phpjson.Object
		err = r.Store.Update(func(w store.Writer) error {
			old, sum, err := r.count(w, col, s, func(record *store.Record) error { return guard(0).check(req, "update", col, record) })
			if err != nil {
				return err
			}
			v := r.view(req)
			if body, err = r.nested(w, v, col, old); err != nil {
				return err
			}
			body.Set(col.Schema.Attribute(s.attribute).Key, sum)
			if !r.Profile.InlineSchema() { // 1.8 forgets where the record is
				body.Delete("$databaseId")
				body.Delete(req.Dialect.Word("$collectionId"))
			}
			return nil
		})
		if err != nil {
			return api.Response{}, err
		}
		return api.OK(body), nil
	}
}

func negated(n any) any {
	if i, ok := n.(int64); ok {
		return -i
	}
	f, _ := n.(float64)
	return -f
}

// count adds to a number and returns the record as it was and the sum that the
// client is told. What the column makes of it may differ: null stays null, a
// fraction is rounded. The attribute's own range does not count.
func (r *Room) count(w store.Writer, col *catalog.Collection, s step, allow func(*store.Record) error) (old *store.Record, sum any, err error) {
	old, err = w.Get(col.Sequence, s.id)
	if err != nil {
		return nil, nil, err
	}
	d := col.Schema.Attribute(s.attribute)
	if old == nil || d == nil {
		return nil, nil, apierr.NotFound("attribute_not_found", "Attribute with the requested key '%s' could not be found.", s.attribute)
	}
	if err := allow(old); err != nil {
		return nil, nil, err
	}
	switch d.Type {
	case catalog.TypeInteger, catalog.TypeBigInt, catalog.TypeDouble:
	default:
		return nil, nil, badType(s.attribute)
	}
	if d.Array {
		return nil, nil, badType(s.attribute)
	}
	before := old.Value(d.Column)
	sum = add(before, s.amount)
	total, _ := value.Float(sum)
	amount, _ := value.Float(s.amount)
	bound, bounded := value.Float(s.bound)
	tooFar := bounded && ((amount > 0 && total > bound) || (amount < 0 && total < bound))
	if tooFar || (d.Type != catalog.TypeDouble && math.Abs(total) >= math.MaxInt64) {
		return nil, nil, apierr.BadRequest("attribute_limit_exceeded", "Attribute '%s' has reached its limit.", s.attribute)
	}
	record := old.Clone()
	record.UpdatedAt = r.now()
	if before != nil {
		record.Set(d.Column, column(d, sum))
	}
	return old, sum, r.replace(w, col, record)
}

func badType(attribute string) error {
	return apierr.BadRequest("attribute_type_invalid", "Attribute '%s' is not a number.", attribute).AsWritten()
}

// add adds numbers of either kind; null counts as 0.
func add(before, amount any) any {
	if before == nil {
		return amount
	}
	x, okX := before.(int64)
	y, okY := amount.(int64)
	if okX && okY {
		if sum := x + y; (sum > x) == (y > 0) {
			return sum
		}
	}
	f, _ := value.Float(before)
	g, _ := value.Float(amount)
	return f + g
}

// column is a sum as the column of an attribute keeps it.
func column(d *catalog.Definition, sum any) any {
	f, isFloat := sum.(float64)
	switch {
	case d.Type == catalog.TypeDouble && !isFloat:
		f, _ = value.Float(sum)
		return f
	case d.Type != catalog.TypeDouble && isFloat:
		rounded, _ := operator.Round(f)
		return rounded
	}
	return sum
}

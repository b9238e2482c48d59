package schema

import (
	"strconv"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// attribute renders an attribute by its own type.
func attribute(dialect api.Dialect, a *catalog.Attribute) *phpjson.Object {
	o := attributeHead(a)
	if a.Relation != nil {
		relation(dialect, o, *a.Relation)
		return o
	}
	shape(o, a.Definition, a.Definition)
	return o
}

// attributeHead renders what every type of attribute has.
func attributeHead(a *catalog.Attribute) *phpjson.Object {
	return phpjson.Obj("key", a.Key, "type", a.Type, "status", string(a.Status), "error", a.Error,
		"required", a.Required, "array", a.Array, "$createdAt", phpdate.Format(a.CreatedAt), "$updatedAt", phpdate.Format(a.UpdatedAt))
}

// shape adds what the type named by like shows of a definition. The two differ
// when an update came through another type's route.
func shape(o *phpjson.Object, like, d catalog.Definition) {
	switch like.Type {
	case catalog.TypeString, catalog.TypeVarchar:
		switch like.Format {
		case "":
			o.Set("size", d.Size)
		case catalog.FormatEnum:
			o.Set("elements", d.Elements)
			o.Set("format", d.Format)
		default:
			o.Set("format", d.Format)
		}
	case catalog.TypeInteger, catalog.TypeBigInt, catalog.TypeDouble:
		o.Set("min", d.Min)
		o.Set("max", d.Max)
	case catalog.TypeDatetime:
		o.Set("format", d.Format)
	}
	o.Set("default", d.Default)
	if encryptable(like) {
		o.Set("encrypt", d.Encrypt)
	}
}

// encryptable says whether the type's model shows encrypt.
func encryptable(d catalog.Definition) bool {
	switch d.Type {
	case catalog.TypeString, catalog.TypeVarchar, catalog.TypeText, catalog.TypeMediumText, catalog.TypeLongText:
		return d.Format == ""
	}
	return false
}

func relation(dialect api.Dialect, o *phpjson.Object, r catalog.Relation) {
	o.Set(dialect.Word("relatedCollection"), r.Collection)
	o.Set("relationType", r.Type)
	o.Set("twoWay", r.TwoWay)
	o.Set("twoWayKey", r.TwoWayKey)
	o.Set("onDelete", r.OnDelete)
	o.Set("side", r.Side)
}

// index renders an index. The oldest version has no $id and puts the times
// last.
func (r *Room) index(dialect api.Dialect, x *catalog.Index) *phpjson.Object {
	times := func(o *phpjson.Object) {
		o.Set("$createdAt", phpdate.Format(x.CreatedAt))
		o.Set("$updatedAt", phpdate.Format(x.UpdatedAt))
	}
	o := &phpjson.Object{}
	if r.catalog.Profile.TablesDB() {
		o.Set("$id", x.ID)
		times(o)
	}
	o.Set("key", x.Key)
	o.Set("type", x.Type)
	o.Set("status", string(x.Status))
	o.Set("error", x.Error)
	o.Set(dialect.Word("attributes"), x.Attributes)
	o.Set("lengths", lengths(x))
	o.Set("orders", orders(x))
	times(o)
	return o
}

func lengths(x *catalog.Index) []any {
	list := make([]any, len(x.Lengths))
	for i, n := range x.Lengths {
		list[i] = n
	}
	return list
}

// orders is a list or, as PHP writes a list with gaps, an object.
func orders(x *catalog.Index) any {
	list, object := make([]any, len(x.Orders)), &phpjson.Object{}
	for i, order := range x.Orders {
		if order == catalog.NoOrder {
			continue
		}
		if order != "" {
			list[i] = order
		}
		object.Set(strconv.Itoa(i), list[i])
	}
	if object.Len() < len(list) {
		return object
	}
	return list
}

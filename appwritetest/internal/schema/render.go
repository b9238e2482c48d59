package schema

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// attribute renders an attribute by its own type.
func attribute(dialect api.Dialect, a *catalog.Attribute) *phpjson.Object {
	o := phpjson.Obj("key", a.Key, "type", a.Type, "status", string(a.Status), "error", a.Error,
		"required", a.Required, "array", a.Array, "$createdAt", stamp(a.CreatedAt), "$updatedAt", stamp(a.UpdatedAt))
	if a.Relation != nil {
		relation(dialect, o, *a.Relation)
		return o
	}
	shape(o, a.Definition, a.Definition)
	return o
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
			o.Set("format", like.Format)
		default:
			o.Set("format", like.Format)
		}
	case catalog.TypeInteger, catalog.TypeBigInt, catalog.TypeDouble:
		o.Set("min", d.Min)
		o.Set("max", d.Max)
	case catalog.TypeDatetime:
		o.Set("format", "")
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

// index renders an index.
func (r *Room) index(dialect api.Dialect, x *catalog.Index) *phpjson.Object {
	o := &phpjson.Object{}
	if r.catalog.Profile.TablesDB() {
		o.Set("$id", x.ID)
	}
	o.Set("$createdAt", stamp(x.CreatedAt))
	o.Set("$updatedAt", stamp(x.UpdatedAt))
	o.Set("key", x.Key)
	o.Set("type", x.Type)
	o.Set("status", string(x.Status))
	o.Set("error", x.Error)
	o.Set(dialect.Word("attributes"), x.Attributes)
	lengths := make([]any, len(x.Lengths))
	for i, n := range x.Lengths {
		lengths[i] = n
	}
	o.Set("lengths", lengths)
	o.Set("orders", x.Orders)
	return o
}

package schema

import (
	"math"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// kind is one endpoint below …/attributes: what it stores and what its routes
// take.
type kind struct {
	endpoint string
	stored   catalog.Definition // Type, Format and, where fixed, Size
	since    func(profile.Profile) bool
	// create and update are the parameters beyond the common ones.
	create []api.Param
	update []api.Param
	// value checks a default.
	value api.Check
}

// kinds returns every endpoint of plain attributes.
func (r *Room) kinds() []kind {
	anyVersion := func(profile.Profile) bool { return true }
	return []kind{
		text("string", catalog.TypeString, 0, 1<<30, anyVersion),
		text("varchar", catalog.TypeVarchar, 0, 16381, profile.Profile.InlineSchema),
		text("text", catalog.TypeText, 65535, 0, profile.Profile.InlineSchema),
		text("mediumtext", catalog.TypeMediumText, 16777215, 0, profile.Profile.InlineSchema),
		text("longtext", catalog.TypeLongText, 2147483647, 0, profile.Profile.InlineSchema),
		number("integer", catalog.TypeInteger, catalog.FormatInt, 8, api.StrictInt, anyVersion),
		number("bigint", catalog.TypeBigInt, catalog.FormatBigInt, 8, api.StrictInt, profile.Profile.BigInt),
		number("float", catalog.TypeDouble, catalog.FormatFloat, 0, api.Number, anyVersion),
		{endpoint: "boolean", stored: catalog.Definition{Type: catalog.TypeBoolean}, value: api.StrictBool},
		{endpoint: "datetime", stored: catalog.Definition{Type: catalog.TypeDatetime}, value: r.datetime},
		r.formatted("email", catalog.FormatEmail, 254),
		r.formatted("ip", catalog.FormatIP, 39),
		r.formatted("url", catalog.FormatURL, 2000),
		{
			endpoint: "enum",
			stored:   catalog.Definition{Type: catalog.TypeString, Format: catalog.FormatEnum, Size: 255},
			value:    api.Text(1, 0),
			create:   []api.Param{elements()},
			update:   []api.Param{elements()},
		},
		r.geometry("point", catalog.TypePoint),
		r.geometry("line", catalog.TypeLine),
		r.geometry("polygon", catalog.TypePolygon),
	}
}

func (k kind) spatial() bool {
	switch k.stored.Type {
	case catalog.TypePoint, catalog.TypeLine, catalog.TypePolygon:
		return true
	}
	return false
}

func text(endpoint, stored string, size int, limit int64, since func(profile.Profile) bool) kind {
	k := kind{
		endpoint: endpoint,
		stored:   catalog.Definition{Type: stored, Size: size},
		since:    since,
		create:   []api.Param{api.Optional("encrypt", api.StrictBool, false)},
		value:    api.Text(0, 0),
	}
	if size == 0 {
		k.create = append([]api.Param{api.Required("size", api.LooseInt(1, limit))}, k.create...)
		k.update = []api.Param{api.Nullable("size", api.LooseInt(1, limit))}
	}
	return k
}

func number(endpoint, stored, format string, size int, check api.Check, since func(profile.Profile) bool) kind {
	bounds := []api.Param{api.Nullable("min", check), api.Nullable("max", check)}
	return kind{
		endpoint: endpoint,
		stored:   catalog.Definition{Type: stored, Format: format, Size: size},
		since:    since, create: bounds, update: bounds, value: check,
	}
}

func (r *Room) formatted(endpoint, format string, size int) kind {
	stored := catalog.Definition{Type: catalog.TypeString, Format: format, Size: size}
	return kind{endpoint: endpoint, stored: stored, value: r.fits(stored)}
}

func (r *Room) geometry(endpoint, stored string) kind {
	d := catalog.Definition{Type: stored}
	return kind{endpoint: endpoint, stored: d, since: profile.Profile.TablesDB, value: r.fits(d)}
}

func elements() api.Param {
	return api.Required("elements", api.ListOf(api.Text(1, 255), 100))
}

// complete fills in bounds and, for integers, the width that the upper bound
// decides for good.
func complete(d *catalog.Definition) {
	switch d.Type {
	case catalog.TypeInteger, catalog.TypeBigInt:
		if d.Min == nil {
			d.Min = int64(math.MinInt64)
		}
		if d.Max == nil {
			d.Max = int64(math.MaxInt64)
		}
		if d.Type == catalog.TypeInteger {
			d.Size = 8
			if upper, _ := d.Max.(int64); upper <= math.MaxInt32 {
				d.Size = 4
			}
		}
	case catalog.TypeDouble:
		if d.Min == nil {
			d.Min = -math.MaxFloat64
		}
		if d.Max == nil {
			d.Max = math.MaxFloat64
		}
	}
}

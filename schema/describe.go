package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// describe gives what there is to say of an attribute besides its key, on a line.
func (a Attribute) describe() string {
	if r := a.Relationship; r != nil {
		text := r.Type + " " + r.Related
		if r.TwoWay {
			text += ", there " + r.TwoWayKey
		}
		return text + ", on delete " + r.OnDelete
	}
	parts := []string{a.typeName()}
	if bounds := a.bounds(); bounds != "" {
		parts = append(parts, bounds)
	}
	if a.Required {
		parts = append(parts, "required")
	}
	if a.Default != nil {
		parts = append(parts, "default "+value(a.Default))
	}
	if a.Encrypt {
		parts = append(parts, "encrypted")
	}
	return strings.Join(parts, ", ")
}

// typeName gives the type with its size or elements: "string(40)[]".
func (a Attribute) typeName() string {
	text := a.Type
	switch {
	case a.Size > 0:
		text += "(" + strconv.FormatInt(a.Size, 10) + ")"
	case len(a.Elements) > 0:
		text += "(" + strings.Join(a.Elements, " | ") + ")"
	}
	if a.Array {
		text += "[]"
	}
	return text
}

func (a Attribute) bounds() string {
	low, high := number(a.Min), number(a.Max)
	switch {
	case low != "" && high != "":
		return low + " to " + high
	case low != "":
		return "from " + low
	case high != "":
		return "up to " + high
	default:
		return ""
	}
}

// describe gives what there is to say of an index besides its key, on a line.
func (x Index) describe() string {
	descending, cut := orders(x), lengths(x)
	var keys []string
	for i, key := range x.Attributes {
		if i < len(cut) && cut[i] > 0 {
			key += "(" + strconv.Itoa(cut[i]) + ")"
		}
		if i < len(descending) && descending[i] == "DESC" {
			key += " desc"
		}
		keys = append(keys, key)
	}
	return x.Type + " index on " + strings.Join(keys, ", ")
}

// describe gives what there is to say of a collection besides what is in it.
func (c *Collection) describe() string {
	parts := []string{strconv.Quote(c.Name)}
	if !c.Enabled {
		parts = append(parts, "disabled")
	}
	if c.DocumentSecurity {
		parts = append(parts, "document security")
	}
	if len(c.Permissions) > 0 {
		parts = append(parts, strings.Join(canonicalPermissions(c.Permissions), " "))
	}
	return strings.Join(parts, ", ")
}

func (d *Database) describe() string {
	if !d.Enabled {
		return fmt.Sprintf("%q, disabled", d.Name)
	}
	return strconv.Quote(d.Name)
}

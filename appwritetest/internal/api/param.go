package api

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

// Check converts a parameter to the form its handler wants, or says why it is
// refused: why is the end of "Invalid `x` param: ".
type Check func(value any) (converted any, why string)

// Param declares one parameter by its canonical name.
type Param struct {
	Name     string
	Check    Check
	Required bool
	Nullable bool // an explicit null is as good as leaving it out
	Default  any
}

// Required declares a parameter that must be sent. Whether it may be null is
// for the check to say.
func Required(name string, check Check) Param {
	return Param{Name: name, Check: check, Required: true}
}

// Optional declares a parameter with a default.
func Optional(name string, check Check, byDefault any) Param {
	return Param{Name: name, Check: check, Default: byDefault}
}

// Nullable declares a parameter that may be left out or null.
func Nullable(name string, check Check) Param {
	return Param{Name: name, Check: check, Nullable: true}
}

// validate fills in the request's values from what the client sent. It stops
// at the first parameter that is refused.
func (r *Request) validate(params []Param, payload *phpjson.Object) error {
	r.payload = payload
	r.values = make(map[string]argument, len(params))
	for _, p := range params {
		wire := r.Dialect.Word(p.Name)
		value, given := payload.Get(wire)
		switch {
		case !given && p.Required:
			return apierr.Argument("Param \"%s\" is not optional.", wire)
		case !given:
			value = p.Default
		case value == nil && p.Nullable:
		case value == nil && !p.Required && r.Profile.NullBreaks():
			return apierr.Unknown("Param \"%s\" must not be null", wire)
		default:
			converted, why := p.Check(value)
			if why != "" {
				return apierr.Argument("Invalid `%s` param: %s", wire, why)
			}
			value = converted
		}
		r.values[p.Name] = argument{value, given}
	}
	return nil
}

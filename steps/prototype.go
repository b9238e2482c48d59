package steps

import (
	"encoding/json"

	"github.com/backstep-dev/backstep/engine"
)

// Prototype gives an empty step of a kind, for those who need to know its
// fields. It is false for kinds that cannot be written down.
func Prototype(kind string) (engine.Step, bool) {
	decode, known := kinds()[kind]
	if !known {
		return nil, false
	}
	step, err := decode(json.RawMessage("{}"))
	return step, err == nil
}

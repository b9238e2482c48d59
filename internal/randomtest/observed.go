package randomtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/backstep-dev/backstep/internal/oracle"
)

// Observed reduces a snapshot to the words of Model.Describe.
func Observed(s oracle.Snapshot) (map[string]string, error) {
	out := map[string]string{}
	for path, text := range s {
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out[path] = line(reduced(strings.Split(path, "/"), m))
	}
	return out, nil
}

func reduced(path []string, m map[string]any) map[string]any {
	switch {
	case len(path) == 1:
		return map[string]any{"name": m["name"], "enabled": m["enabled"]}
	case len(path) == 2:
		return map[string]any{"name": m["name"], "enabled": m["enabled"], "permissions": m["$permissions"]}
	case path[2] == "attributes":
		fields := map[string]any{"type": m["type"], "required": m["required"], "default": m["default"], "status": m["status"]}
		if m["type"] == "string" {
			fields["size"] = m["size"]
		}
		return fields
	case path[2] == "indexes":
		attributes := m["attributes"]
		if attributes == nil {
			attributes = m["columns"]
		}
		return map[string]any{"type": m["type"], "attributes": attributes, "status": m["status"]}
	default:
		fields := map[string]any{}
		for k, v := range m {
			if !strings.HasPrefix(k, "$") {
				fields[k] = v
			}
		}
		return map[string]any{"data": fields, "permissions": m["$permissions"]}
	}
}

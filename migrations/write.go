package migrations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/engine"
)

// Write writes a migration file that Parse reads as the given steps: one step a
// line, its fields in the order in which people look for them.
func Write(w io.Writer, description string, changes []engine.Step) error {
	var b bytes.Buffer
	b.WriteString("# yaml-language-server: $schema=migration.schema.json\n")
	fmt.Fprintf(&b, "description: %s\nsteps:\n", scalar(description))
	for _, change := range changes {
		fields, err := canonical(change)
		if err != nil {
			return fmt.Errorf("write %s of %s: %w", change.Kind(), change.Target(), err)
		}
		tree, err := exactJSON(fields)
		if err != nil {
			return fmt.Errorf("write %s of %s: %w", change.Kind(), change.Target(), err)
		}
		m, ok := tree.(map[string]any)
		if !ok {
			return fmt.Errorf("write %s of %s: not an object", change.Kind(), change.Target())
		}
		delete(m, "kind")
		fmt.Fprintf(&b, "  - %s: ", change.Kind())
		flow(&b, m, true)
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

func exactJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	err := d.Decode(&tree)
	return tree, err
}

// flow writes a JSON value in YAML's flow style, with quotes only where they
// are needed.
func flow(b *bytes.Buffer, value any, fields bool) {
	switch v := value.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		slices.SortFunc(keys, func(x, y string) int {
			if place := rank(x) - rank(y); fields && place != 0 {
				return place
			}
			return strings.Compare(x, y)
		})
		b.WriteString("{ ")
		for i, key := range keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(scalar(key) + ": ")
			flow(b, v[key], false)
		}
		b.WriteString(" }")
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			flow(b, item, false)
		}
		b.WriteByte(']')
	case string:
		b.WriteString(scalar(v))
	default:
		data, err := json.Marshal(v)
		if err != nil {
			data = []byte("null") // nil, bool and json.Number always encode
		}
		b.Write(data)
	}
}

// rank puts what names an object before what describes it.
func rank(field string) int {
	order := []string{"database", "collection", "id", "key", "name", "type", "attributes", "size", "required", "default"}
	if i := slices.Index(order, field); i >= 0 {
		return i
	}
	return len(order)
}

var plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*$`) //nolint:gochecknoglobals // compiled once

// scalar writes a text, quoted as JSON unless YAML reads it as text anyway.
func scalar(text string) string {
	reserved := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
	if plainScalar.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}

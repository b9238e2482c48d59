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
	"github.com/backstep-dev/backstep/steps"
)

// Write writes a migration file that Parse reads back as the same steps: one
// line a step, the database at the top where all steps have the same one. The
// notes become comments at the beginning. The error names a step that files
// cannot hold, such as a Go function.
func Write(w io.Writer, description string, changes []engine.Step, notes ...string) error {
	m := &Migration{Description: description}
	return m.WithSteps(changes).Write(w, notes...)
}

// Write writes the migration's file, see the function Write. Its steps down are
// not written, nor the ids of its steps.
func (m *Migration) Write(w io.Writer, notes ...string) error {
	var b bytes.Buffer
	for _, note := range notes {
		for line := range strings.Lines(note) {
			b.WriteString("# " + strings.TrimRight(line, "\r\n") + "\n")
		}
	}
	for _, line := range []struct{ key, text string }{{"description", m.Description}, {"hold", m.Hold}} {
		if line.text != "" {
			b.WriteString(line.key + ": " + scalar(line.text) + "\n")
		}
	}
	if len(m.Replaces) > 0 {
		b.WriteString("replaces:\n")
		for _, r := range m.Replaces {
			fmt.Fprintf(&b, "  %s: %q\n", r.ID, r.Checksum)
		}
	}
	written := make([]ordered, len(m.Up))
	for i, step := range m.Up {
		var err error
		if written[i], err = fieldsWritten(step.Change); err != nil {
			return fmt.Errorf("write step %d, %s of %s: %w", i+1, step.Change.Kind(), step.Change.Target(), err)
		}
	}
	if database := common(written); database != "" {
		b.WriteString("database: " + database + "\n")
	}
	b.WriteString("steps:\n")
	for i, fields := range written {
		fmt.Fprintf(&b, "  - %s: { %s }\n", m.Up[i].Change.Kind(), strings.Join(fields.lines(), ", "))
		if fields.retry != "" {
			b.WriteString("    retry: " + fields.retry + "\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// ordered are a step's fields in the order of its Go type, as YAML.
type ordered struct {
	names    []string
	values   map[string]string
	database string // the value of database, "" when the kind has none
	retry    string
}

func (o ordered) lines() []string {
	lines := make([]string, len(o.names))
	for i, name := range o.names {
		lines[i] = name + ": " + o.values[name]
	}
	return lines
}

// common takes the database out of steps that all name the same one.
func common(all []ordered) string {
	database := ""
	for _, o := range all {
		switch {
		case o.database == "":
		case database == "":
			database = o.database
		case database != o.database:
			return ""
		}
	}
	if database == "" {
		return ""
	}
	for i := range all {
		all[i].names = slices.DeleteFunc(all[i].names, func(name string) bool { return name == "database" })
	}
	return database
}

// fieldsWritten gives the fields of a step as a file has them.
func fieldsWritten(change engine.Step) (ordered, error) {
	k, ok := findKind(change.Kind())
	if !ok {
		return ordered{}, fmt.Errorf("%w: files have no such kind", steps.ErrUnknownKind)
	}
	data, err := canonical(change)
	if err != nil {
		return ordered{}, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return ordered{}, err
	}
	o := ordered{values: map[string]string{}}
	delete(object, "kind")
	if retry, tuned := object["retry"]; tuned {
		o.retry = flow(retry)
		delete(object, "retry")
	}
	for _, f := range k.fields {
		raw, given := object[f.name]
		if !given {
			continue
		}
		delete(object, f.name)
		o.names = append(o.names, f.name)
		o.values[f.name] = flow(raw)
		if f.name == "database" {
			o.database = o.values[f.name]
		}
	}
	for name := range object {
		return o, fmt.Errorf("files have no field %s", name)
	}
	return o, nil
}

// flow writes JSON as YAML in flow style.
func flow(raw json.RawMessage) string {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var b strings.Builder
	writeFlow(&b, decoder)
	return b.String()
}

// writeFlow copies one value token by token, so that objects keep their order.
func writeFlow(b *strings.Builder, decoder *json.Decoder) {
	token, err := decoder.Token()
	if err != nil {
		return // canonical JSON was just encoded
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			b.WriteByte('[')
			for first := true; decoder.More(); first = false {
				comma(b, first)
				writeFlow(b, decoder)
			}
			b.WriteByte(']')
		} else {
			b.WriteString("{ ")
			for first := true; decoder.More(); first = false {
				comma(b, first)
				key, _ := decoder.Token()
				text, _ := key.(string)
				b.WriteString(scalar(text) + ": ")
				writeFlow(b, decoder)
			}
			b.WriteString(" }")
		}
		_, _ = decoder.Token() // the closing delimiter
	case string:
		b.WriteString(scalar(t))
	case json.Number:
		b.WriteString(t.String())
	case bool:
		fmt.Fprint(b, t)
	default:
		b.WriteString("null")
	}
}

func comma(b *strings.Builder, first bool) {
	if !first {
		b.WriteString(", ")
	}
}

// plainScalar is text that needs no quotes whatever YAML version reads it.
var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*([ ./-][A-Za-z0-9_]+)*$`)

// scalar writes a string as YAML, in double quotes where it could be read as
// something else. Those take every JSON escape.
func scalar(text string) string {
	reserved := []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
	if plainScalar.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	var b bytes.Buffer
	writeString(&b, text)
	return b.String()
}

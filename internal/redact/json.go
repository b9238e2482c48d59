package redact

import (
	"bytes"
	"encoding/json"
	"strings"
)

// JSON gives a JSON value without the values of the fields. What is no JSON
// comes back as redacted text. about says what the value belongs to, where it
// does not say so itself; the zero value is not known.
func (r *Redactor) JSON(raw json.RawMessage, about About) json.RawMessage {
	if !r.Active() {
		return raw
	}
	value, err := decode(raw)
	if err != nil {
		return json.RawMessage(r.Text(string(raw)))
	}
	r.mu.RLock()
	w := walk{r: r, hide: true}
	value = w.value(value, about)
	r.mu.RUnlock()
	r.remember(w.seen)
	out, err := encode(value)
	if err != nil {
		return json.RawMessage(`"` + Mark + `"`)
	}
	return out
}

// Strings gives a JSON value with every string in it, other than names of
// fields, redacted as a text. Unlike text as a whole it stays JSON.
func (r *Redactor) Strings(raw json.RawMessage) json.RawMessage {
	if !r.Active() {
		return raw
	}
	value, err := decode(raw)
	if err != nil {
		return json.RawMessage(r.Text(string(raw)))
	}
	out, err := encode(r.texts(value))
	if err != nil {
		return json.RawMessage(`"` + Mark + `"`)
	}
	return out
}

func (r *Redactor) texts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = r.texts(inner)
		}
		return v
	case []any:
		for i := range v {
			v[i] = r.texts(v[i])
		}
		return v
	case string:
		return r.Text(v)
	default:
		return v
	}
}

// Learn remembers the values of the fields in a JSON value. What is no JSON
// teaches nothing.
func (r *Redactor) Learn(raw []byte, about About) {
	if !r.Active() {
		return
	}
	value, err := decode(raw)
	if err != nil {
		return
	}
	r.mu.RLock()
	w := walk{r: r}
	w.value(value, about)
	r.mu.RUnlock()
	r.remember(w.seen)
}

// About says what a JSON value belongs to.
type About struct {
	Collection string
	// Attribute is the one that a step acts on, such as an increment. Where it
	// is a field that is kept out, the step's numbers and texts are its values.
	Attribute string
}

// AboutStep reads what a step is about.
func AboutStep(step json.RawMessage) About {
	value, err := decode(step)
	if err != nil {
		return About{}
	}
	object, _ := value.(map[string]any)
	return About{}.in(object)
}

// in is what an object within what a belongs to is about.
func (a About) in(object map[string]any) About {
	for _, key := range []string{"collection", "table", "$collectionId", "$tableId", "collectionId", "tableId"} {
		if name, ok := object[key].(string); ok && name != "" {
			if name != a.Collection {
				a.Attribute = ""
			}
			a.Collection = name
			break
		}
	}
	for _, key := range []string{"attribute", "column", "key"} {
		if name, ok := object[key].(string); ok && name != "" {
			a.Attribute = name
			break
		}
	}
	return a
}

// walk goes through one JSON value.
type walk struct {
	r    *Redactor
	hide bool
	seen []string
}

func (w *walk) value(v any, about About) any {
	switch v := v.(type) {
	case map[string]any:
		about = about.in(v)
		for key, inner := range v {
			if w.r.hides(about.Collection, key) || about.Attribute != "" && valueOfAttribute(key) && w.r.hides(about.Collection, about.Attribute) {
				v[key] = w.hidden(inner)
				continue
			}
			v[key] = w.value(inner, about)
		}
		return v
	case []any:
		for i := range v {
			v[i] = w.value(v[i], about)
		}
		return v
	case string:
		return w.text(v, about)
	default:
		return v
	}
}

// valueOfAttribute says whether a step, memento or query that names an
// attribute keeps a value of it under key.
func valueOfAttribute(key string) bool {
	switch key {
	case "value", "values", "default", "by", "min", "max", "was", "is", "expect", "before", "after", "fill", "sum":
		return true
	default:
		return false
	}
}

// text looks into a string that holds JSON itself, as queries do.
func (w *walk) text(s string, about About) any {
	if trimmed := strings.TrimSpace(s); !strings.HasPrefix(trimmed, "{") && !strings.HasPrefix(trimmed, "[") {
		return s
	}
	inner, err := decode([]byte(s))
	if err != nil {
		return s
	}
	before := len(w.seen)
	inner = w.value(inner, about)
	if !w.hide || len(w.seen) == before {
		return s
	}
	out, err := encode(inner)
	if err != nil {
		return Mark
	}
	return string(out)
}

// hidden remembers every value within v and gives what stands for it. That
// there is none is no secret.
func (w *walk) hidden(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		w.seen = append(w.seen, v)
	case json.Number:
		w.seen = append(w.seen, v.String())
	case []any:
		for _, inner := range v {
			w.hidden(inner)
		}
	case map[string]any:
		for _, inner := range v {
			w.hidden(inner)
		}
	default: // a boolean: nothing that could be recognised
		w.seen = append(w.seen, "")
	}
	if w.hide {
		return Mark
	}
	return v
}

func decode(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

func encode(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

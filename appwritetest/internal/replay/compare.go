package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// timeLayout is how Appwrite writes every time.
	timeLayout = "2006-01-02T15:04:05.000-07:00"
	// timeSpan is how far from the server's clock a masked time may lie.
	timeSpan = 48 * time.Hour
)

var (
	generatedID = regexp.MustCompile(`^([0-9a-f]{20}|\d+_\d+_.+)$`)
	decimal     = regexp.MustCompile(`^\d+$`)
)

// comparison collects the differences between one recorded answer and the one
// given now. Both are JSON decoded with json.Number.
type comparison struct {
	bindings *bindings
	now      time.Time
	diffs    []string
}

func (c *comparison) differ(path, format string, args ...any) {
	c.diffs = append(c.diffs, strings.TrimPrefix(path, ".")+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) compare(path string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		c.compareObjects(path, want, got)
	case []any:
		c.compareLists(path, want, got)
	case string:
		c.compareStrings(path, want, got)
	case json.Number:
		number, ok := got.(json.Number)
		if !ok || !sameNumber(want, number) {
			c.differ(path, "want %s, got %s", show(want), show(got))
		}
	default: // true, false, null
		if want != got {
			c.differ(path, "want %s, got %s", show(want), show(got))
		}
	}
}

func (c *comparison) compareObjects(path string, want map[string]any, got any) {
	object, ok := got.(map[string]any)
	if !ok {
		c.differ(path, "want an object with keys %v, got %s", slices.Sorted(maps.Keys(want)), show(got))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, ok := object[key]
		if !ok {
			c.differ(path+"."+key, "missing, want %s", show(want[key]))
			continue
		}
		c.compare(path+"."+key, want[key], value)
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if _, ok := want[key]; !ok {
			c.differ(path+"."+key, "not wanted, got %s", show(object[key]))
		}
	}
}

func (c *comparison) compareLists(path string, want []any, got any) {
	list, ok := got.([]any)
	if !ok {
		c.differ(path, "want a list of %d, got %s", len(want), show(got))
		return
	}
	if len(want) != len(list) {
		c.differ(path, "want %d elements %s, got %d %s", len(want), show(want), len(list), show(list))
		return
	}
	for i := range want {
		c.compare(path+"["+strconv.Itoa(i)+"]", want[i], list[i])
	}
}

func (c *comparison) compareStrings(path, want string, got any) {
	if want == "<any>" {
		return
	}
	if number, ok := got.(json.Number); ok {
		c.compareInteger(path, want, number)
		return
	}
	text, ok := got.(string)
	switch {
	case !ok:
		c.differ(path, "want %s, got %s", show(want), show(got))
	case want == "<time>":
		moment, err := time.Parse(timeLayout, text)
		if err != nil || moment.Sub(c.now).Abs() > timeSpan {
			c.differ(path, "want a time near %s, got %q", c.now.Format(timeLayout), text)
		}
	case want == "<text>", want == "<version>":
		if text == "" {
			c.differ(path, "want %s, got an empty string", want)
		}
	case want == "<html>":
		if !strings.Contains(strings.ToLower(text), "<html") {
			c.differ(path, "want an HTML page, got %s", show(text))
		}
	case numbered.MatchString(want):
		c.compareNumbered(path, want, text)
	case want != text:
		c.differ(path, "want %s, got %s", show(want), show(text))
	}
}

// compareInteger checks the placeholders that stand for a JSON integer.
func (c *comparison) compareInteger(path, want string, got json.Number) {
	isInteger := !strings.ContainsAny(got.String(), ".eE")
	switch {
	case want == "<int>" && isInteger:
	case strings.HasPrefix(want, "<seq:int:") && isInteger:
		if problem := c.bindings.bind(want, got.String(), false); problem != "" {
			c.differ(path, "%s", problem)
		}
	default:
		c.differ(path, "want %s, got %s", show(want), got)
	}
}

func (c *comparison) compareNumbered(path, want, got string) {
	isID := strings.HasPrefix(want, "<id:")
	shape := decimal
	if isID {
		shape = generatedID
	}
	switch {
	case strings.HasPrefix(want, "<seq:int:"), !shape.MatchString(got):
		c.differ(path, "want %s, got %q", want, got)
	default:
		if problem := c.bindings.bind(want, got, isID); problem != "" {
			c.differ(path, "%s", problem)
		}
	}
}

// sameNumber compares by value and by kind: 5 and 5.0 differ, 1e21 and 1.0e+21
// do not.
func sameNumber(a, b json.Number) bool {
	aFloat, bFloat := strings.ContainsAny(a.String(), ".eE"), strings.ContainsAny(b.String(), ".eE")
	if aFloat != bFloat {
		return false
	}
	if !aFloat {
		return a == b
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// show renders a value for a difference, cut to a readable length.
func show(value any) string {
	const most = 200
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	shown := []rune(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(text)))
	if len(shown) > most {
		return string(shown[:most]) + "…"
	}
	return string(shown)
}

package schema

import (
	"bytes"
	"encoding/json"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/backstep-dev/backstep/appwrite"
)

// fallback reads the default. It comes last: it has to fit everything else.
func (r *reader) fallback(f *fields, a *Attribute) {
	n := f.take("default")
	if n == nil {
		return
	}
	if a.Array {
		if n.kind == kindList && len(n.items) == 0 || n.kind == kindString && n.text == "" {
			r.notice(n.at, "a list is empty without a default: left out")
			return
		}
		r.refuse(n.at, "attribute %s is a list, which can have no default in Appwrite", a.Key)
		return
	}
	value, ok := r.defaultValue(n, a)
	if !ok || value == nil {
		return
	}
	if a.Required {
		// An optional attribute with a default never holds null: Appwrite puts
		// the default in its place. That is what "required with a default" says.
		r.notice(n.at, "attribute %s is required and has a default, which Appwrite refuses: made optional, its default stands in for every value not given", a.Key)
		a.Required = false
	}
	a.Default = value
}

// defaultValue gives the default as JSON of the attribute's type; nil when it
// says nothing; not ok when it was refused.
func (r *reader) defaultValue(n *node, a *Attribute) (value json.RawMessage, ok bool) {
	switch a.Type {
	case appwrite.TypeInteger, appwrite.TypeBigInt, appwrite.TypeFloat:
		return r.defaultNumber(n, a)
	case appwrite.TypeBoolean:
		if n.kind == kindString && n.text == "" {
			r.notice(n.at, "an empty default: left out")
			return nil, true
		}
		truth, ok := r.asTruth(n)
		if !ok {
			r.refuse(n.at, "the default of a boolean must be true or false, not %v", n.kind)
			return nil, false
		}
		return json.RawMessage(strconv.FormatBool(truth)), true
	case appwrite.TypePoint, appwrite.TypeLine, appwrite.TypePolygon:
		if n.kind != kindList {
			r.refuse(n.at, "the default of a %s must be a list, not %v", a.Type, n.kind)
			return nil, false
		}
		return n.json(), true
	default:
		return r.defaultText(n, a)
	}
}

func (r *reader) defaultNumber(n *node, a *Attribute) (json.RawMessage, bool) {
	if n.kind == kindString && n.text == "" {
		r.notice(n.at, "an empty default: left out")
		return nil, true
	}
	value := r.number(n)
	if value == nil {
		return nil, false
	}
	if low, high := rat(a.Min), rat(a.Max); low != nil && value.Cmp(low) < 0 || high != nil && value.Cmp(high) > 0 {
		r.refuse(n.at, "default %s is outside %s…%s", n.text, a.Min, a.Max)
		return nil, false
	}
	if a.Type == appwrite.TypeFloat {
		near, _ := value.Float64()
		text := floatText(near)
		if strings.Contains(string(text), "Inf") {
			r.refuse(n.at, "default %.24s is beyond every float", n.text)
			return nil, false
		}
		return json.RawMessage(text), true
	}
	if !value.IsInt() || !value.Num().IsInt64() {
		r.refuse(n.at, "default %.24s is no 64-bit integer", n.text)
		return nil, false
	}
	return json.RawMessage(value.Num().String()), true
}

func (r *reader) defaultText(n *node, a *Attribute) (json.RawMessage, bool) {
	text := n.text
	switch n.kind {
	case kindString:
	case kindNumber:
		r.notice(n.at, "default %s is taken as text", n.text)
	case kindBool:
		text = strconv.FormatBool(n.truth)
		r.notice(n.at, "default %s is taken as text", text)
	default:
		r.refuse(n.at, "the default of a %s must be a string, not %v", a.Type, n.kind)
		return nil, false
	}
	formatted := slices.Contains([]string{appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL, appwrite.TypeDatetime}, a.Type)
	if formatted && text == "" {
		r.notice(n.at, "an empty default is no %s: left out", a.Type)
		return nil, true
	}
	if reason := misfit(text, a); reason != "" {
		r.refuse(n.at, "default %.40q %s", text, reason)
		return nil, false
	}
	return quote(text), true
}

// misfit says why text cannot be the default of the attribute, "" when it can.
func misfit(text string, a *Attribute) string {
	length := int64(utf8.RuneCountInString(text))
	switch a.Type {
	case appwrite.TypeString, appwrite.TypeVarchar:
		if a.Size > 0 && length > a.Size {
			return "is longer than the size " + strconv.FormatInt(a.Size, 10)
		}
	case appwrite.TypeText, appwrite.TypeMediumText, appwrite.TypeLongText:
		if length > fixedSizes(a.Type)[0] {
			return "is too long for " + a.Type
		}
	case appwrite.TypeEnum:
		if !slices.Contains(a.Elements, text) {
			return "is not one of the elements"
		}
	case appwrite.TypeEmail:
		_, domain, _ := strings.Cut(text, "@")
		if address, err := mail.ParseAddress(text); err != nil || address.Address != text || !strings.Contains(domain, ".") || length > 254 {
			return "is no email address"
		}
	case appwrite.TypeIP:
		if _, err := netip.ParseAddr(text); err != nil {
			return "is no IP address"
		}
	case appwrite.TypeURL:
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" || length > 2000 {
			return "is no URL with scheme and host"
		}
	}
	return ""
}

// quote writes a string as JSON, without escaping for HTML.
func quote(text string) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return nil // a string always encodes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// json writes the value in compact form, numbers as they were written.
func (n *node) json() json.RawMessage {
	switch n.kind {
	case kindBool:
		return json.RawMessage(strconv.FormatBool(n.truth))
	case kindNumber:
		return json.RawMessage(n.text)
	case kindString:
		return quote(n.text)
	case kindList:
		parts := make([][]byte, len(n.items))
		for i, item := range n.items {
			parts[i] = item.json()
		}
		return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]"))
	case kindObject:
		parts := make([][]byte, len(n.members))
		for i, m := range n.members {
			parts[i] = slices.Concat(quote(m.key), []byte(":"), m.value.json())
		}
		return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}"))
	default:
		return json.RawMessage("null")
	}
}

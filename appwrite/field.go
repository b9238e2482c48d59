package appwrite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Operator is a value that the server is to compute: what a function of the
// SDK's operator package returns. Only as Operator is such a value let through,
// since the server would take any text of the same form for one.
type Operator string

// The methods that the server takes for operators.
var operatorMethods = map[string]bool{ //nolint:gochecknoglobals // a table
	"increment": true, "decrement": true, "multiply": true, "divide": true, "modulo": true, "power": true,
	"arrayAppend": true, "arrayPrepend": true, "arrayInsert": true, "arrayRemove": true, "arrayUnique": true,
	"arrayIntersect": true, "arrayDiff": true, "arrayFilter": true, "stringConcat": true, "stringReplace": true,
	"toggle": true, "dateAddDays": true, "dateSubDays": true, "dateSetNow": true,
}

// LooksLikeOperator says whether a server of 1.8.1 or later would, in an update
// or in a transaction, compute the value instead of storing it. Such a value
// can be written only by CreateDocument and CreateDocuments.
func LooksLikeOperator(value any) bool {
	text, ok := value.(string)
	if !ok || !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return false
	}
	var shape struct {
		Method string `json:"method"`
	}
	return json.Unmarshal([]byte(text), &shape) == nil && operatorMethods[shape.Method]
}

// refuseOperators keeps texts that look like operators out of requests in which
// the server would take them for such.
func (c *Client) refuseOperators(ctx context.Context, data map[string]any) error {
	server, err := c.server(ctx)
	if err != nil {
		return err
	}
	if !server.Capabilities.Operators {
		return nil
	}
	for key, value := range data {
		if LooksLikeOperator(value) {
			return fmt.Errorf("%w: the text of %q looks like an operator, which an update would compute instead of storing", ErrUnsafe, key)
		}
	}
	return nil
}

// checkFields refuses values that are no attribute's: nested objects, which the
// server would create as documents of related collections, and fields of the
// document itself.
func checkFields(data map[string]any) error {
	for key, value := range data {
		if strings.HasPrefix(key, "$") {
			return fmt.Errorf("%w: %q is not an attribute", ErrInvalid, key)
		}
		if nested(value) {
			return fmt.Errorf("%w: %q holds an object: related documents are given by id", ErrInvalid, key)
		}
	}
	return nil
}

func nested(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return true
	case []any:
		return slices.ContainsFunc(v, nested)
	}
	return false
}

// The server checks ids and permissions of bulk upserts, of staged operations
// and (permissions) of bulk creations loosely or not at all, and stores what it
// can never show again. So they are checked here.

// checkID says why an id is none.
func checkID(id string) error {
	const longest = 255 // 36 on SQL backends, which the server checks where it checks at all
	ok := id != "" && len(id) <= longest && !strings.ContainsAny(id[:1], "._-")
	for _, r := range id {
		ok = ok && (alphanumeric(r) || strings.ContainsRune("._-", r))
	}
	if !ok {
		return fmt.Errorf("%w: %q is not an id", ErrInvalid, id)
	}
	return nil
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// maxPermissions is how many a document may have.
const maxPermissions = 100

// checkPermissions says why permissions cannot be a document's.
func checkPermissions(permissions []string) error {
	if len(permissions) > maxPermissions {
		return fmt.Errorf("%w: %d permissions, at most %d are accepted", ErrInvalid, len(permissions), maxPermissions)
	}
	for _, p := range permissions {
		action, rest, _ := strings.Cut(p, `("`)
		role, closed := strings.CutSuffix(rest, `")`)
		switch action {
		case "read", "update", "delete", "write":
			if closed && validRole(role) {
				continue
			}
		}
		return fmt.Errorf("%w: %q is not a permission of a document", ErrInvalid, p)
	}
	return nil
}

func validRole(role string) bool {
	name, dimension, hasDimension := strings.Cut(role, "/")
	kind, id, hasID := strings.Cut(name, ":")
	if hasID && checkID(id) != nil {
		return false
	}
	verified := !hasDimension || dimension == "verified" || dimension == "unverified"
	switch kind {
	case "any", "guests":
		return !hasID && !hasDimension
	case "users":
		return !hasID && verified
	case "user":
		return hasID && verified
	case "team":
		return hasID && (!hasDimension || checkID(dimension) == nil)
	case "member":
		return hasID && !hasDimension
	case "label":
		return hasID && !hasDimension && strings.IndexFunc(id, func(r rune) bool { return !alphanumeric(r) }) < 0
	default:
		return false
	}
}

package schema

import (
	"regexp"
	"slices"
	"strings"
)

// permissions reads who may do what, in the words of every version: the list of
// Appwrite 1.0 and later, and the read and write roles of before.
func (r *reader) permissions(f *fields) []string {
	var found []string
	for _, item := range f.list("$permissions", "permissions") {
		if item.kind != kindString {
			r.refuse(item.at, "a permission must be a string, not %v", item.kind)
			continue
		}
		expanded, changed := expandPermission(item.text)
		if expanded == nil {
			r.refuse(item.at, "%.80q is no permission: expected something like read(\"any\")", item.text)
			continue
		}
		if changed {
			r.notice(item.at, "permission %s is taken as %s", item.text, strings.Join(expanded, ", "))
		}
		found = append(found, expanded...)
	}
	for _, list := range []struct {
		name    string
		actions []string
	}{{"$read", []string{"read"}}, {"$write", []string{"create", "update", "delete"}}} {
		for _, item := range f.list(list.name) {
			role := modernRole(item.text)
			if item.kind != kindString || !roleForm.MatchString(role) {
				r.refuse(item.at, "%.80q is no role", item.text)
				continue
			}
			for _, action := range list.actions {
				found = append(found, action+`("`+role+`")`)
			}
			r.notice(item.at, "role %q, of Appwrite before 1.0, is taken as %s for %s", item.text, role, strings.Join(list.actions, ", "))
		}
	}
	return canonicalPermissions(found)
}

var (
	permissionForm = regexp.MustCompile(`^\s*(read|create|update|delete|write)\(\s*["']([^"']+)["']\s*\)\s*$`)
	// roleForm holds what every version since 1.0 takes as a role.
	roleForm = regexp.MustCompile(`^(any|guests|users(/(un)?verified)?|user:[A-Za-z0-9][\w.-]{0,35}(/(un)?verified)?|team:[A-Za-z0-9][\w.-]{0,35}(/[A-Za-z0-9][\w.-]{0,35})?|member:[A-Za-z0-9][\w.-]{0,35}|label:[A-Za-z0-9]{1,36})$`)
)

// expandPermission gives the permissions that one string stands for, nil when it
// is none, and whether they are other than the string.
func expandPermission(text string) (expanded []string, changed bool) {
	match := permissionForm.FindStringSubmatch(text)
	if match == nil {
		return nil, false
	}
	action, role := match[1], modernRole(match[2])
	if !roleForm.MatchString(role) {
		return nil, false
	}
	actions := []string{action}
	if action == "write" {
		actions = []string{"create", "update", "delete"}
	}
	for _, action := range actions {
		expanded = append(expanded, action+`("`+role+`")`)
	}
	return expanded, len(expanded) != 1 || expanded[0] != text
}

// modernRole gives today's word for a role of Appwrite before 1.0.
func modernRole(role string) string {
	switch role {
	case "role:all", "*":
		return "any"
	case "role:guest":
		return "guests"
	case "role:member":
		return "users"
	default:
		return role
	}
}

// canonicalPermissions puts permissions in one order, spells "write" out and
// drops repetitions.
func canonicalPermissions(list []string) []string {
	order := []string{"read", "create", "update", "delete"}
	rank := func(permission string) int {
		action, _, _ := strings.Cut(permission, "(")
		return slices.Index(order, action)
	}
	var sorted []string
	for _, text := range list {
		if expanded, _ := expandPermission(text); expanded != nil {
			sorted = append(sorted, expanded...)
		} else {
			sorted = append(sorted, text)
		}
	}
	slices.SortFunc(sorted, func(a, b string) int {
		if ra, rb := rank(a), rank(b); ra != rb {
			return ra - rb
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(sorted)
}

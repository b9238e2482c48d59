// Package permission reads Appwrite's permission strings, such as
// read("any") or update("team:t1/owner").
package permission

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// ErrInvalid is matched by every refusal of this package.
var ErrInvalid = errors.New("invalid permission")

// Limit is how many permissions one parameter may list, before duplicates are
// dropped.
const Limit = 100

var (
	form  = regexp.MustCompile(`^([a-z]+)\("([^"]*)"\)$`)
	label = regexp.MustCompile(`^[A-Za-z0-9]{1,36}$`)
	name  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$`)
)

// Actions that a record's permissions may name.
func recordActions() []string { return []string{"read", "update", "delete", "write"} }

// Check says what is wrong with a list of permissions. create is allowed for
// containers and refused for records.
func Check(permissions []string, create bool) error {
	if len(permissions) > Limit {
		return fmt.Errorf("%w: more than %d entries", ErrInvalid, Limit)
	}
	for _, p := range permissions {
		action, role, ok := split(p)
		if !ok || !validRole(role) {
			return fmt.Errorf("%w: %s", ErrInvalid, p)
		}
		if !slices.Contains(recordActions(), action) && (action != "create" || !create) {
			return fmt.Errorf("%w: action %s is not allowed in %s", ErrInvalid, action, p)
		}
	}
	return nil
}

// Expand replaces write by what it stands for, and drops duplicates: on a
// container create, update and delete, on a record update and delete. What is
// no permission stays as it is.
func Expand(permissions []string, create bool) []string {
	out := make([]string, 0, len(permissions))
	add := func(p string) {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	for _, p := range permissions {
		action, role, ok := split(p)
		if !ok || action != "write" {
			add(p)
			continue
		}
		if create {
			add(`create("` + role + `")`)
		}
		add(`update("` + role + `")`)
		add(`delete("` + role + `")`)
	}
	return out
}

// GuestMay says whether a caller without a key holds the action.
func GuestMay(action string, permissions []string) bool {
	return slices.Contains(permissions, action+`("any")`) || slices.Contains(permissions, action+`("guests")`)
}

func split(p string) (action, role string, ok bool) {
	m := form.FindStringSubmatch(p)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func validRole(role string) bool {
	kind, id, hasID := strings.Cut(role, ":")
	if !hasID {
		kind, dimension, dimensioned := strings.Cut(role, "/")
		switch kind {
		case "any", "guests":
			return !dimensioned
		case "users":
			return !dimensioned || dimension == "verified" || dimension == "unverified"
		}
		return false
	}
	id, dimension, dimensioned := strings.Cut(id, "/")
	switch kind {
	case "user":
		return validID(id) && (!dimensioned || dimension == "verified" || dimension == "unverified")
	case "team":
		return validID(id) && (!dimensioned || name.MatchString(dimension))
	case "member":
		return validID(id) && !dimensioned
	case "label":
		return label.MatchString(id) && !dimensioned
	}
	return false
}

func validID(id string) bool { return len(id) <= profile.MaxIDLength && name.MatchString(id) }

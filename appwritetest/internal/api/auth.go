package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

// Key is an API key of the project.
type Key struct {
	Secret string
	// Scopes the key holds; nil means every scope of the databases API.
	Scopes []string
	// Expired keys are refused with their own error type.
	Expired bool
}

// Caller is who asks: a key, or a guest.
type Caller struct {
	Key bool // an API key, which no permission binds
}

// Scope names what a route asks of a key.
type Scope struct {
	resource string
	write    bool
}

// ReadOf is the scope for reading a resource: databases, collections,
// attributes, indexes, documents, transactions, health.
func ReadOf(resource string) Scope { return Scope{resource: resource} }

// WriteOf is the scope for changing a resource.
func WriteOf(resource string) Scope { return Scope{resource: resource, write: true} }

// Public is the scope of routes that guests may call and keys may not.
func Public() Scope { return Scope{resource: "public"} }

// Console is the scope of routes that only the console's users may call.
func Console() Scope { return Scope{resource: "console"} }

// Global is the scope that every caller holds.
func Global() Scope { return Scope{resource: "global"} }

// names returns the scopes of which a key needs one.
func (s Scope) names(d Dialect, p profile.Profile) []string {
	action := ".read"
	if s.write {
		action = ".write"
	}
	var resources []string
	switch s.resource {
	case "collections", "attributes", "indexes":
		resources = []string{"collections"}
		if d == TablesDB {
			resources = append(resources, "tables")
			if p.AtLeast(1, 9, 0) {
				resources = append(resources, narrow(s.resource)...)
			}
		}
	case "documents":
		resources = []string{"documents"}
		if d == TablesDB {
			resources = append(resources, "rows")
		}
	case "transactions":
		resources = []string{"documents"}
		switch {
		case d == TablesDB:
			resources = append(resources, "rows")
		case !s.write:
			resources = []string{"rows"} // the legacy reads ask for the other API's scope
		}
	default:
		resources = []string{s.resource}
	}
	for i, resource := range resources {
		resources[i] = resource + action
	}
	return resources
}

func narrow(resource string) []string {
	switch resource {
	case "attributes":
		return []string{"attributes", "columns"}
	case "indexes":
		return []string{"indexes"}
	}
	return nil
}

// guestMay says whether a caller without a key gets past the scope check.
func (s Scope) guestMay() bool {
	switch s.resource {
	case "public", "global", "documents", "transactions":
		return true
	}
	return false
}

// authorize finds the caller and checks the scope.
func (s *Server) authorize(r *http.Request, e *endpoint) (Caller, error) {
	project := r.Header.Get("X-Appwrite-Project")
	if project == "" {
		project = r.URL.Query().Get("project")
	}
	secret := r.Header.Get("X-Appwrite-Key")
	if project != "" && project != s.config.Project && !strings.EqualFold(project, "console") {
		return Caller{}, apierr.NotFound("project_not_found", "Project with the requested ID %s could not be found.", project)
	}
	if secret == "" {
		return s.guest(project, e.Scope)
	}
	if project == "" {
		if s.config.Profile.AtLeast(1, 9, 0) {
			return Caller{}, apierr.New(http.StatusForbidden, "project_id_missing", "Project ID is missing")
		}
		return Caller{}, unauthorized()
	}
	key, ok := s.key(secret)
	switch {
	case !ok || project != s.config.Project:
		return Caller{}, unauthorized()
	case key.Expired:
		return Caller{}, apierr.New(http.StatusUnauthorized, "project_key_expired", "The project key has expired.")
	case !key.holds(e, s.config.Profile):
		return Caller{}, missingScope(e)
	}
	return Caller{Key: true}, nil
}

// guest admits a caller without a key. Outside the project, which includes the
// console, there is nothing but the public routes.
func (s *Server) guest(project string, scope Scope) (Caller, error) {
	public := scope.resource == "public" || scope.resource == "global"
	if !scope.guestMay() || (project != s.config.Project && !public) {
		return Caller{}, apierr.New(http.StatusUnauthorized, "general_unauthorized_scope",
			"guests missing scopes (%s)", scope.resource)
	}
	return Caller{}, nil
}

func (k Key) holds(e *endpoint, p profile.Profile) bool {
	switch e.Scope.resource {
	case "public", "console":
		return false
	case "global", "health":
		return true
	}
	if k.Scopes == nil {
		return true
	}
	return slices.ContainsFunc(e.Scope.names(e.dialect, p), func(name string) bool {
		return slices.Contains(k.Scopes, name)
	})
}

func unauthorized() error {
	return apierr.New(http.StatusUnauthorized, "user_unauthorized", "The current user is not authorized to perform the requested action.")
}

func missingScope(e *endpoint) error {
	return apierr.New(http.StatusUnauthorized, "general_unauthorized_scope",
		"The key is missing the scope of %s", e.Scope.resource)
}

package appwrite

import (
	"context"
	"errors"
	"net/http"
)

// Grant says whether the API key may do one kind of thing.
type Grant struct {
	// Scope is what has to be ticked for the key in Appwrite's console, in the
	// words of the server's dialect.
	Scope   string
	Granted bool
}

// scopeProbe is a request that a key without the scope is refused for, and that
// the server can do nothing with otherwise: it names objects that cannot exist
// or lacks a required parameter.
type scopeProbe struct {
	legacy, tables string // the scope in either dialect
	method         string
	segments       func(words) []string
}

// noSuchID is a valid id that no project has.
const noSuchID = "backstep-scope-probe"

func scopeProbes() []scopeProbe {
	database := func(w words) []string { return []string{w.base} }
	collection := func(w words) []string { return []string{w.base, noSuchID, w.collection + "s"} }
	document := func(w words) []string {
		return []string{w.base, noSuchID, w.collection + "s", noSuchID, w.document + "s"}
	}
	return []scopeProbe{
		{"databases.read", "databases.read", http.MethodGet, database},
		{"databases.write", "databases.write", http.MethodPost, database},
		{"collections.read", "tables.read", http.MethodGet, collection},
		{"collections.write", "tables.write", http.MethodPost, collection},
		{"documents.read", "rows.read", http.MethodGet, document},
		{"documents.write", "rows.write", http.MethodPost, document},
	}
}

// Grants finds out what the API key may do, without changing anything: the
// server checks a key's scopes before it looks at the parameters. Errors other
// than refused scopes are returned.
func (c *Client) Grants(ctx context.Context) ([]Grant, error) {
	s, err := c.scope(ctx, "", "")
	if err != nil {
		return nil, err
	}
	var grants []Grant
	for _, probe := range scopeProbes() {
		at, err := path(probe.segments(s.words)...)
		if err != nil {
			return nil, err
		}
		g := Grant{Scope: probe.legacy, Granted: true}
		if s.server.Dialect == DialectTablesDB {
			g.Scope = probe.tables
		}
		_, err = c.send(ctx, request{method: probe.method, path: at})
		var answer *Error
		switch {
		case errors.As(err, &answer) && answer.Type == "general_unauthorized_scope":
			g.Granted = false
		case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrInvalid):
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

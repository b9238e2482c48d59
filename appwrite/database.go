package appwrite

import (
	"context"
	"net/http"

	"github.com/appwrite/sdk-for-go/query"
)

// listPage is how many databases or collections are asked for at once.
const listPage = 100

// ListDatabases gives every database of the project. On 1.9 that takes the
// TablesDB routes: the others show only databases that they made themselves.
func (c *Client) ListDatabases(ctx context.Context) ([]Database, error) {
	s, err := c.wideScope(ctx)
	if err != nil {
		return nil, err
	}
	var out []Database
	for {
		queries := []string{query.Limit(listPage)}
		if len(out) > 0 {
			queries = append(queries, query.CursorAfter(out[len(out)-1].ID))
		}
		var page wireDatabases
		if err := c.list(ctx, s.path, &page, queries...); err != nil {
			return nil, err
		}
		for _, one := range page.Databases {
			out = append(out, one.model())
		}
		if len(page.Databases) < listPage {
			return out, nil
		}
	}
}

// FindDatabase gives one database. It is ErrNotFound when there is none.
func (c *Client) FindDatabase(ctx context.Context, id string) (Database, error) {
	s, err := c.wideScope(ctx)
	if err != nil {
		return Database{}, err
	}
	var page wireDatabases
	if err := c.list(ctx, s.path, &page, query.Equal("$id", id), query.Limit(1)); err != nil {
		return Database{}, err
	}
	if len(page.Databases) == 0 {
		return Database{}, absent("database", s.path)
	}
	found := page.Databases[0].model()
	return found, unlessTwin(id, found.ID)
}

// CreateDatabase makes a database through the API that database.Type names, or
// through the client's dialect when it names none.
func (c *Client) CreateDatabase(ctx context.Context, database Database) (Database, error) {
	server, err := c.server(ctx)
	if err != nil {
		return Database{}, err
	}
	base := server.Dialect.words().base
	switch {
	case database.Type == TypeLegacy:
		base = DialectDatabases.words().base
	case database.Type == TypeTablesDB && server.Capabilities.Transactions:
		base = DialectTablesDB.words().base
	case database.Type != "":
		return Database{}, unsupported("databases of type " + database.Type)
	}
	var made wireDatabase
	err = c.do(ctx, request{method: http.MethodPost, path: "/" + base, params: map[string]any{
		"databaseId": database.ID, "name": database.Name, "enabled": database.Enabled,
	}}, &made)
	return made.model(), err
}

// UpdateDatabase sets a database's name and whether it is enabled: both, always,
// since the server would enable a database whose flag is left out.
func (c *Client) UpdateDatabase(ctx context.Context, database Database) (Database, error) {
	s, err := c.scope(ctx, "", "")
	if err != nil {
		return Database{}, err
	}
	at, err := s.at(database.ID)
	if err != nil {
		return Database{}, err
	}
	var changed wireDatabase
	err = c.do(ctx, request{method: http.MethodPut, path: at, params: map[string]any{
		"name": database.Name, "enabled": database.Enabled,
	}}, &changed)
	return changed.model(), err
}

// DeleteDatabase removes a database and everything in it. It is gone at once;
// the server clears its storage later.
func (c *Client) DeleteDatabase(ctx context.Context, id string) error {
	s, err := c.scope(ctx, "", "")
	if err != nil {
		return err
	}
	at, err := s.at(id)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: at}, nil)
}

// wideScope is the root whose routes see every database, whatever dialect the
// client was told to speak.
func (c *Client) wideScope(ctx context.Context) (scope, error) {
	s, err := c.scope(ctx, "", "")
	if err == nil && s.server.Capabilities.Transactions { // TablesDB came with them
		s.words = DialectTablesDB.words()
		s.path = "/" + s.base
	}
	return s, err
}

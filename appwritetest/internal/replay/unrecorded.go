package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// deleteUnrecorded removes a database that an exchange creates a second time
// with success: some scenarios were cleaned up in between off the record.
func (s *session) deleteUnrecorded(ctx context.Context, exchange Exchange) error {
	path := exchange.Request.Path
	switch {
	case exchange.Request.Method == http.MethodDelete && exchange.Response.Status == http.StatusNoContent:
		delete(s.created, path)
		return nil
	case exchange.Request.Method != http.MethodPost || exchange.Response.Status != http.StatusCreated,
		path != "/databases" && path != "/tablesdb":
		return nil
	}
	var database struct {
		ID string `json:"$id"`
	}
	if err := json.Unmarshal(exchange.Response.Body, &database); err != nil {
		return fmt.Errorf("recorded body: %w", err)
	}
	path += "/" + database.ID
	if s.created[path] {
		if _, _, err := s.send(ctx, Exchange{Request: Request{Method: http.MethodDelete, Path: path}}); err != nil {
			return err
		}
	}
	s.created[path] = true
	return nil
}

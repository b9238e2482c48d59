package documents

import (
	"errors"
	"net/http"

	"github.com/backstep-dev/backstep/appwritetest/internal/apierr"
	"github.com/backstep-dev/backstep/appwritetest/internal/query"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

func notFound(id string) error {
	return apierr.NotFound("document_not_found", "Document with the requested ID '%s' could not be found.", id)
}

func alreadyExists() error {
	return apierr.Conflict("document_already_exists", "Document with the requested ID already exists. Try again with a different ID or use ID.unique() to generate a unique ID.")
}

func unauthorized() error {
	return apierr.New(http.StatusUnauthorized, "user_unauthorized", "The current user is not authorized to perform the requested action.")
}

// conflict turns a duplicate in the store into the client's error.
func conflict(err error) error {
	if errors.Is(err, store.ErrDuplicate) {
		return alreadyExists()
	}
	return err
}

// badQuery turns what is wrong with a query into the client's error.
func badQuery(err error) error {
	switch {
	case errors.Is(err, query.ErrInvalid):
		return apierr.BadRequest("general_query_invalid", "%v", err)
	case errors.Is(err, query.ErrUnsupported):
		return apierr.Unknown("%v", err)
	}
	return err
}

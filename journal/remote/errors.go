package remote

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/journal"
)

// typed puts the journal's sentinel in front of an error of the server.
func typed(err error) error {
	sentinel := sentinelOf(err)
	if sentinel == nil || errors.Is(err, sentinel) {
		return err
	}
	return fmt.Errorf("%w: %w", sentinel, err)
}

func sentinelOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, appwrite.ErrReadOnly):
		return journal.ErrReadOnly
	case errors.Is(err, appwrite.ErrContainerNotFound):
		return journal.ErrDamaged // its collections were there when it was opened
	}
	answer, ok := errors.AsType[*appwrite.Error](err)
	switch {
	case !ok:
		return nil
	case errors.Is(err, appwrite.ErrUnauthorized) && answer.Method != http.MethodGet:
		return journal.ErrReadOnly
	case answer.Status == http.StatusInsufficientStorage, strings.HasSuffix(answer.Type, "_limit_exceeded"):
		return journal.ErrFull
	case answer.Status == http.StatusTooManyRequests, answer.Status == http.StatusServiceUnavailable, answer.Status == http.StatusRequestTimeout:
		return journal.ErrBusy
	}
	return nil
}

package steps

import (
	"errors"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Classify tells an engine what an error of a step means (engine.WithClassifier).
func Classify(err error) engine.Class {
	// Steps name only attributes that they have seen: the part of the server
	// that checks documents is behind the part that shows the schema.
	if _, behind := appwrite.UnknownAttribute(err); behind {
		return engine.ClassTransient
	}
	if errors.Is(err, appwrite.ErrGuard) {
		return engine.ClassForbidden
	}
	class := appwrite.Classify(err)
	if _, idle := errors.AsType[*idleError](err); idle && class == appwrite.Ambiguous {
		class = appwrite.Transient
	}
	switch class {
	case appwrite.Transient:
		if _, half := errors.AsType[*halfError](err); half {
			return engine.ClassAmbiguous
		}
		return engine.ClassTransient
	case appwrite.Ambiguous:
		return engine.ClassAmbiguous
	default:
		return engine.ClassPermanent
	}
}

// halfError is the failure of the second of two writes. What it says about
// itself is true, but the first one has acted.
type halfError struct{ err error }

func (e *halfError) Error() string { return "between two writes: " + e.err.Error() }

func (e *halfError) Unwrap() error { return e.err }

package appwrite

// Class says what may be done after an error.
type Class int

// The classes of errors.
const (
	// Permanent: the same request will fail again.
	Permanent Class = iota + 1
	// Transient: nothing was done, and the same request may succeed later.
	Transient
	// Ambiguous: the request may have been carried out, or may still be.
	Ambiguous
)

// String gives the class's name.
func (c Class) String() string {
	switch c {
	case Permanent:
		return "permanent"
	case Transient:
		return "transient"
	case Ambiguous:
		return "ambiguous"
	default:
		return "unknown"
	}
}

// Classify says what may be done after err.
func Classify(err error) Class { return Permanent }

package schema

import "errors"

// differ makes a Delta.
type differ struct {
	limits  Limits
	renames []Rename
	fills   []Fill
}

func (d *differ) diff(_, _ Model) (*Delta, error) {
	return nil, errors.New("not yet")
}

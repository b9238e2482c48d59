package remote

import (
	"context"

	"github.com/backstep-dev/backstep/appwrite"
)

// Ensure is the bootstrap of the journal's collections alone.
func Ensure(ctx context.Context, client *appwrite.Client, database string, clock appwrite.Clock) error {
	p := place{client: client, database: database, patience: patience{clock: clock, budget: DefaultPatience}}
	return p.ensure(ctx, shapes()...)
}

package migrations

import (
	"context"
	"errors"
	"fmt"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
)

// join gives the passes that make fewer operations of a migration's steps. What
// they may join depends on which collections have relationships now: that is
// read here, so that the passes stay pure. A run down has none: its steps are
// what the run up has made of them.
func (r *Runner) join(ctx context.Context, task Task) ([]engine.Pass, error) {
	if r.serial || task.Direction != Up {
		return nil, nil
	}
	related := map[engine.Ref]bool{}
	read := map[string]bool{}
	for _, step := range task.changes {
		database := step.Target().Database
		if _, creates := step.(steps.CreateDocument); !creates || read[database] {
			continue
		}
		read[database] = true
		if err := r.relationships(ctx, database, related); err != nil {
			return nil, fmt.Errorf("plan %s_%s: %w", task.Version, task.Name, err)
		}
	}
	return []engine.Pass{steps.Batch(func(database, collection string) bool {
		return related[engine.Ref{Database: database, Collection: collection}]
	})}, nil
}

// relationships notes the collections of a database that relationships lead
// from or to.
func (r *Runner) relationships(ctx context.Context, database string, related map[engine.Ref]bool) error {
	collections, err := r.client.ListCollections(ctx, database)
	if errors.Is(err, appwrite.ErrNotFound) {
		return nil // this migration, or one before it, will make the database
	}
	if err != nil {
		return err
	}
	for _, collection := range collections {
		for _, attribute := range collection.Attributes {
			if attribute.Relationship != nil {
				related[engine.Ref{Database: database, Collection: collection.ID}] = true
				related[engine.Ref{Database: database, Collection: attribute.Relationship.Related}] = true
			}
		}
	}
	return nil
}

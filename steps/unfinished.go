package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// errFound ends a search early.
var errFound = errors.New("found")

// unfinished says what of a collection is not as its archive has it; "" when
// everything is back.
func (r restorer) unfinished(ctx context.Context) (string, error) {
	for _, look := range []func(context.Context) (string, error){
		r.schemaMissing, r.documentsMissing, r.linksMissing, r.timesMissing,
	} {
		if missing, err := look(ctx); err != nil || missing != "" {
			return missing, err
		}
	}
	return "", nil
}

// schemaMissing looks for attributes, relationships and indexes.
func (r restorer) schemaMissing(ctx context.Context) (string, error) {
	have, _, err := readSchema(ctx, r.client, r.database, r.id)
	if err != nil {
		return "", err
	}
	for _, want := range r.schema.Attributes {
		if !slices.ContainsFunc(have.Attributes, func(i AttributeImage) bool { return same(want, i) }) {
			return fmt.Sprintf("attribute %q is not whole", want.Key), nil
		}
	}
	for _, want := range r.schema.Indexes {
		if !slices.ContainsFunc(have.Indexes, want.equal) {
			return fmt.Sprintf("index %q is not there", want.Key), nil
		}
	}
	linkers, err := r.linkers(ctx)
	if err != nil {
		return "", err
	}
	for _, l := range linkers {
		if l != nil && !slices.Contains(have.Relationships, l.image) {
			return fmt.Sprintf("relationship %q is not there", l.image.Key), nil
		}
	}
	return "", nil
}

// documentsMissing looks for documents.
func (r restorer) documentsMissing(ctx context.Context) (string, error) {
	lines := only(r.site.Archives.Read(ctx, r.archive), func(i archivedItem) *archivedDocument { return i.Document })
	return search("documents are missing", func() error {
		return inBatches(lines, func(page []archivedDocument) error {
			missing, err := r.missing(ctx, page)
			return foundIf(len(missing) > 0, err)
		})
	})
}

// linksMissing looks for links.
func (r restorer) linksMissing(ctx context.Context) (string, error) {
	linkers, err := r.linkers(ctx)
	if err != nil {
		return "", err
	}
	return search("links are missing", func() error {
		return r.links(ctx, linkers, func(l *linker, page []archivedLink) error {
			pending, err := l.lacking(ctx, page)
			return foundIf(len(pending) > 0, err)
		})
	})
}

// timesMissing looks for documents whose time is that of the restoration.
func (r restorer) timesMissing(ctx context.Context) (string, error) {
	server, err := r.client.Detect(ctx)
	if err != nil || !server.Capabilities.Timestamps {
		return "", err
	}
	lines := only(r.site.Archives.Read(ctx, r.archive), func(i archivedItem) *archivedDocument { return i.Document })
	return search("times are not set back", func() error {
		return inBatches(lines, func(page []archivedDocument) error {
			late, err := r.late(ctx, page)
			return foundIf(len(late) > 0, err)
		})
	})
}

// search gives what when the walk ends because it was found.
func search(what string, walk func() error) (string, error) {
	err := walk()
	if errors.Is(err, errFound) {
		return what, nil
	}
	return "", err
}

// foundIf ends a walk when there is something, or with its error.
func foundIf(there bool, err error) error {
	if err == nil && there {
		return errFound
	}
	return err
}

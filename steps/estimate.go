package steps

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// Estimate is what a step will probably cost, as things are now.
type Estimate struct {
	// Requests is how many requests it sends, without retries and with one look
	// while it waits for the server's worker.
	Requests int64
	// Documents and Bytes are what it sets aside, before compression. Servers
	// stop counting at 5000 documents; AtLeast says that this one did.
	Documents int64
	Bytes     int64
	AtLeast   bool
}

// The least that any step sends: a look for the before-image, the change, a
// look for the after-image.
const leastRequests = 3

// sampled is how many documents are read to learn how large they are.
const sampled = 25

// pageSize is how many documents a walk reads at once.
const pageSize = 100

// EstimateOf says what a step will probably cost. It reads the size of what the
// step would archive, and changes nothing. A collection that an earlier step
// of the same plan is to make counts as empty.
func EstimateOf(ctx context.Context, client *appwrite.Client, step engine.Step) (Estimate, error) {
	ref := step.Target()
	switch step.Kind() {
	case "assert":
		return Estimate{Requests: 1}, nil
	case "func":
		return Estimate{}, nil
	case "fill_attribute":
		return filledEstimate(ctx, client, ref)
	case "delete_document":
		return Estimate{Requests: leastRequests, Documents: 1}, nil
	case "drop_collection", "delete_collection":
		return archived(ctx, client, ref.Database, ref.Collection, "")
	case "drop_database", "delete_database":
		return archivedDatabase(ctx, client, ref.Database)
	case "drop_attribute", "delete_attribute", "drop_relationship", "delete_relationship":
		return archived(ctx, client, ref.Database, ref.Collection, ref.Key)
	default:
		estimate := Estimate{Requests: leastRequests}
		if strings.HasSuffix(step.Kind(), "_attribute") || strings.HasSuffix(step.Kind(), "_index") {
			estimate.Requests++ // waiting for the worker
		}
		return estimate, nil
	}
}

// filledEstimate estimates giving every document a value of its own: they are
// listed, then written to one by one. Equal values take fewer requests.
func filledEstimate(ctx context.Context, client *appwrite.Client, ref engine.Ref) (Estimate, error) {
	estimate, err := archived(ctx, client, ref.Database, ref.Collection, ref.Key)
	estimate.Requests += estimate.Documents
	return estimate, err
}

// archived estimates setting aside a collection's documents, or one field of
// them, twice read: once into the archive, once for late writes.
func archived(ctx context.Context, client *appwrite.Client, database, collection, field string) (Estimate, error) {
	page, err := client.ListDocuments(ctx, database, collection, query.Limit(sampled))
	if errors.Is(err, appwrite.ErrNotFound) {
		return Estimate{Requests: leastRequests}, nil
	}
	if err != nil {
		return Estimate{}, err
	}
	estimate := Estimate{
		Requests: leastRequests + 2*(1+page.Total/pageSize), Documents: page.Total, AtLeast: page.Total >= countedAtMost,
	}
	if len(page.Documents) == 0 {
		return estimate, nil
	}
	var read int64
	for _, document := range page.Documents {
		size, err := sizeOf(document, field)
		if err != nil {
			return Estimate{}, err
		}
		read += size
	}
	estimate.Bytes = read * page.Total / int64(len(page.Documents))
	return estimate, nil
}

// countedAtMost is where servers stop counting documents (seen on 1.7 to 1.9).
const countedAtMost = 5000

// sizeOf is the size of a document, or of one field with the document's id, as
// JSON.
func sizeOf(document appwrite.Document, field string) (int64, error) {
	var value any = document.Data
	if field != "" {
		value = document.Data[field]
	}
	data, err := json.Marshal(value)
	return int64(len(data) + len(document.ID)), err
}

func archivedDatabase(ctx context.Context, client *appwrite.Client, database string) (Estimate, error) {
	sum := Estimate{Requests: leastRequests}
	collections, err := client.ListCollections(ctx, database)
	if errors.Is(err, appwrite.ErrNotFound) {
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	for _, c := range collections {
		one, err := archived(ctx, client, database, c.ID, "")
		if err != nil {
			return sum, err
		}
		sum.Requests += one.Requests
		sum.Documents += one.Documents
		sum.Bytes += one.Bytes
		sum.AtLeast = sum.AtLeast || one.AtLeast
	}
	return sum, nil
}

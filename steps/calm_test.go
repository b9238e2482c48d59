package steps_test

import (
	"context"
	"testing"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/steps"
)

// slowArchives let the worker finish what it is at before an archive closes.
type slowArchives struct {
	journal.Archives
	idle func(context.Context) error
}

type slowWriter struct {
	journal.ArchiveWriter
	idle func(context.Context) error
}

func (a slowArchives) Create(ctx context.Context, run, operation, label string) (journal.ArchiveWriter, error) {
	w, err := a.Archives.Create(ctx, run, operation, label)
	return slowWriter{w, a.idle}, err
}

func (w slowWriter) Close(ctx context.Context) (journal.ArchiveRef, error) {
	if err := w.idle(ctx); err != nil {
		return journal.ArchiveRef{}, err
	}
	return w.ArchiveWriter.Close(ctx)
}

// TestWhatTheWorkerIsStillMakingIsArchived: an attribute that is processing when
// a collection is set aside, and available right after, is no late write.
func TestWhatTheWorkerIsStillMakingIsArchived(t *testing.T) {
	t.Parallel()
	onEmbedded(t, func(b *bench, server *appwritetest.Server) {
		b.products("Lamp")
		worker := server.Worker()
		worker.SetDelay(appwritetest.Fixed(100 * time.Millisecond))
		late := appwrite.Attribute{Key: "late", Type: appwrite.TypeBoolean}
		if _, err := b.client.CreateAttribute(b.t.Context(), b.database, "products", late); err != nil {
			b.t.Fatal(err)
		}
		site := b.site()
		site.Archives = slowArchives{site.Archives, worker.Idle}
		dropped, err := b.try(steps.DropCollection{Database: b.database, ID: "products"}, site)
		if err != nil {
			b.t.Fatal(err)
		}
		b.undo([]done{dropped})
		if got := b.attribute("products", "late"); got.Status != appwrite.StatusAvailable {
			b.t.Errorf("the late attribute comes back %q", got.Status)
		}
	})
}

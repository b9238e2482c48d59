package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine/lease"
)

// locksCollection is where the lease of a project is kept, whatever keeps its
// journal.
const locksCollection = "locks"

func lockShape() shape {
	return shape{
		id: locksCollection, name: "Backstep locks",
		attributes: []appwrite.Attribute{
			number("fence"), text("token", 36), number("counter"), number("ttl_ms"),
			{Key: "released", Type: appwrite.TypeBoolean},
			text("host", 255), text("actor", 255), text("environment", 255), text("command", 255),
			text("run", 255), text("process", 255),
		},
		indexes: []appwrite.Index{indexOn("by_fence", "fence")},
	}
}

// Locks keeps the lease of a project in its reserved database: a document
// "lock-<fence>" for each lock, which the server makes once or refuses.
type Locks struct{ place place }

// NewLocks gives the locks in a database. It sends nothing. The client's guards
// must not ask the lease that these locks are for.
func NewLocks(client *appwrite.Client, database string) *Locks {
	return &Locks{place: newPlace(client, database)}
}

// Prepare makes the collection of the locks where it is missing. No lease is
// needed for that; see the bootstrap of the journal.
func (l *Locks) Prepare(ctx context.Context) error {
	return l.place.ensure(ctx, lockShape())
}

// Newest implements lease.Locks. Without a collection there is no lock.
func (l *Locks) Newest(ctx context.Context) (lease.Lock, bool, error) {
	page, err := l.place.client.ListDocuments(ctx, l.place.database, locksCollection, query.OrderDesc("fence"), query.Limit(1))
	if errors.Is(err, appwrite.ErrNotFound) || errors.Is(err, appwrite.ErrInvalid) { // or one that is being made
		return lease.Lock{}, false, nil
	}
	if err != nil {
		return lease.Lock{}, false, unavailable("read the newest lock", err)
	}
	if len(page.Documents) == 0 {
		return lease.Lock{}, false, nil
	}
	lock, err := lockOf(page.Documents[0])
	return lock, err == nil, err
}

// Create implements lease.Locks.
func (l *Locks) Create(ctx context.Context, lock lease.Lock) error {
	_, err := l.place.client.CreateDocument(ctx, l.place.database, locksCollection, appwrite.Document{
		ID: lockID(lock.Fence),
		Data: map[string]any{
			"fence": lock.Fence, "token": lock.Token, "counter": lock.Counter, "ttl_ms": lock.TTL.Milliseconds(), "released": lock.Released,
			"host": cut(lock.Holder.Host), "actor": cut(lock.Holder.Actor), "environment": cut(lock.Holder.Environment),
			"command": cut(lock.Holder.Command), "run": cut(lock.Holder.Run), "process": cut(lock.Holder.Process),
		},
	})
	if errors.Is(err, appwrite.ErrExists) {
		return fmt.Errorf("%w: %w", lease.ErrTaken, err)
	}
	return unavailable("create lock "+strconv.FormatInt(lock.Fence, 10), err)
}

// Renew implements lease.Locks.
func (l *Locks) Renew(ctx context.Context, lock lease.Lock) error {
	return l.update(ctx, "renew", lock.Fence, map[string]any{"counter": lock.Counter, "run": cut(lock.Holder.Run)})
}

// Release implements lease.Locks.
func (l *Locks) Release(ctx context.Context, fence int64) error {
	return l.update(ctx, "release", fence, map[string]any{"released": true})
}

func (l *Locks) update(ctx context.Context, verb string, fence int64, fields map[string]any) error {
	_, err := l.place.client.UpdateDocument(ctx, l.place.database, locksCollection, lockID(fence),
		appwrite.DocumentPatch{Data: fields}, appwrite.Guard{})
	return unavailable(verb+" lock "+strconv.FormatInt(fence, 10), err)
}

// Prune implements lease.Locks.
func (l *Locks) Prune(ctx context.Context, below int64) error {
	_, err := l.place.client.DeleteDocuments(ctx, l.place.database, locksCollection, query.LessThan("fence", below))
	return unavailable("prune the locks", err)
}

// lockID is the id of a lock's document. That ids are unique is what keeps two
// holders apart.
func lockID(fence int64) string { return "lock-" + strconv.FormatInt(fence, 10) }

// unavailable marks what trying again may cure.
func unavailable(doing string, err error) error {
	if err == nil {
		return nil
	}
	if appwrite.Classify(err) != appwrite.Permanent {
		return fmt.Errorf("%w: %s: %w", lease.ErrUnavailable, doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// lockOf reads a lock. One that cannot be read stops everybody: nothing may be
// guessed about it.
func lockOf(doc appwrite.Document) (lease.Lock, error) {
	var body struct {
		Fence       int64  `json:"fence"`
		Token       string `json:"token"`
		Counter     int64  `json:"counter"`
		TTL         int64  `json:"ttl_ms"`
		Released    bool   `json:"released"`
		Host        string `json:"host"`
		Actor       string `json:"actor"`
		Environment string `json:"environment"`
		Command     string `json:"command"`
		Run         string `json:"run"`
		Process     string `json:"process"`
	}
	data, err := json.Marshal(doc.Data)
	if err == nil {
		err = json.Unmarshal(data, &body)
	}
	if err == nil && (body.Fence < 1 || body.Token == "" || doc.ID != lockID(body.Fence)) {
		err = errors.New("it is no lock")
	}
	if err != nil {
		return lease.Lock{}, fmt.Errorf("%w: document %s of collection %s: %w", ErrForeign, doc.ID, locksCollection, err)
	}
	return lease.Lock{
		Fence: body.Fence, Token: body.Token, Counter: body.Counter, TTL: time.Duration(body.TTL) * time.Millisecond, Released: body.Released,
		Holder: lease.Holder{
			Host: body.Host, Actor: body.Actor, Environment: body.Environment, Command: body.Command, Run: body.Run, Process: body.Process,
		},
		CreatedAt: serverTime(doc.CreatedAt), RenewedAt: serverTime(doc.UpdatedAt),
	}, nil
}

// serverTime reads a time of the server's; what cannot be read is the zero time.
func serverTime(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t
}

// cut shortens what is only for people to what an attribute holds.
func cut(text string) string {
	const room = 255
	if runes := []rune(text); len(runes) > room {
		return string(runes[:room])
	}
	return text
}

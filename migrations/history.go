package migrations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
)

// The defaults of History.
const (
	DefaultHistoryDatabase   = "backstep"
	DefaultHistoryCollection = "migrations"
)

// History is where in an Appwrite project it is kept which migrations it has: a
// collection of one document a migration. It is a superset of the collection of
// appwrite-database-migration-tool (ADMT), so that one may take over the
// other's; ADMT's own documents, which have no version, are left alone. The zero
// value means the defaults.
type History struct {
	Database   string // id of the reserved database; DefaultHistoryDatabase when empty
	Collection string // id; DefaultHistoryCollection when empty
	Name       string // of the collection, when it is made; the id when empty
}

// Entry is what the history holds about one migration.
type Entry struct {
	Version string `json:"version"`
	Name    string `json:"name"`
	// Applied is false while a run is under way, up or down.
	Applied bool `json:"applied"`
	// Timestamp is the version as Unix time in milliseconds; ADMT sorts by it.
	Timestamp  int64  `json:"timestamp"`
	Checksum   string `json:"checksum"`
	Run        string `json:"run"`       // the last run that changed the entry
	Direction  string `json:"direction"` // of that run: "up" or "down"
	Journal    string `json:"journal"`   // where that run's journal is, for people
	DurationMS int64  `json:"duration_ms,omitempty"`
	Tool       string `json:"tool,omitempty"` // version of the tool
	// UpdatedAt is the server's time of the last change, RFC 3339; it is read
	// and never written.
	UpdatedAt string `json:"-"`
}

// same reports whether two entries say the same, however long their runs took.
func (e *Entry) same(other *Entry) bool {
	if e == nil || other == nil {
		return e == other
	}
	a, b := *e, *other
	a.DurationMS, b.DurationMS, a.UpdatedAt, b.UpdatedAt = 0, 0, "", ""
	return a == b
}

var idRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$`)

// filled gives the history with its defaults; it fails on ids that Appwrite
// would not take.
func (h History) filled() (History, error) {
	if h.Database == "" {
		h.Database = DefaultHistoryDatabase
	}
	if h.Collection == "" {
		h.Collection = DefaultHistoryCollection
	}
	if h.Name == "" {
		h.Name = h.Collection
	}
	for _, id := range []string{h.Database, h.Collection} {
		if !idRule.MatchString(id) {
			return h, fmt.Errorf("%w: %q is no Appwrite id", ErrHistory, id)
		}
	}
	return h, nil
}

// Entries reads the history, the oldest version first. A project without one
// has no entries. Nothing is written.
func (h History) Entries(ctx context.Context, client *appwrite.Client) ([]Entry, error) {
	h, err := h.filled()
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for page, err := range client.Walk(ctx, h.Database, h.Collection, appwrite.WalkOptions{}) {
		if errors.Is(err, appwrite.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the history in %s/%s: %w", h.Database, h.Collection, err)
		}
		for _, doc := range page {
			entry, ours, err := entryOf(doc)
			if err != nil {
				return nil, err
			}
			if ours {
				entries = append(entries, entry)
			}
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Version, b.Version) })
	return entries, nil
}

// entryOf reads one document; ours is false for those of other tools.
func entryOf(doc appwrite.Document) (entry Entry, ours bool, err error) {
	if version, _ := doc.Data["version"].(string); version == "" {
		return Entry{}, false, nil
	}
	data, err := json.Marshal(doc.Data)
	if err == nil {
		err = json.Unmarshal(data, &entry)
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("%w: document %s: %w", ErrHistory, doc.ID, err)
	}
	entry.UpdatedAt = doc.UpdatedAt
	return entry, true, nil
}

// document gives the fields of an entry as Appwrite stores them.
func (e *Entry) document() map[string]any {
	return map[string]any{
		"version": e.Version, "name": e.Name, "applied": e.Applied, "timestamp": e.Timestamp, "checksum": e.Checksum,
		"run": e.Run, "direction": e.Direction, "journal": e.Journal, "duration_ms": e.DurationMS, "tool": e.Tool,
	}
}

// timestamp gives a version as Unix milliseconds; a version that is no time
// counts as a number.
func timestamp(version string) int64 {
	if at, err := time.Parse("20060102150405", version); err == nil && at.UnixMilli() >= 0 {
		return at.UnixMilli()
	}
	var n int64
	for _, digit := range version {
		n = n*10 + int64(digit-'0')
	}
	return n
}

// marker is the attribute that is made last: while it is missing, the rest may
// be too.
const marker = "format"

// historyAttributes is the shape of the collection. The first three are ADMT's,
// as it makes them (v1, src/lib/createMigrationCollection.ts).
func historyAttributes() []appwrite.Attribute {
	text := func(key string, size int64) appwrite.Attribute {
		return appwrite.Attribute{Key: key, Type: appwrite.TypeString, Size: size}
	}
	return []appwrite.Attribute{
		{Key: "applied", Type: appwrite.TypeBoolean, Default: json.RawMessage("false")},
		{Key: "name", Type: appwrite.TypeString, Size: 256, Required: true},
		{Key: "timestamp", Type: appwrite.TypeInteger, Required: true, Min: "0", Max: "9007199254740991"},
		text("version", 14), text("checksum", 64), text("run", 64), text("direction", 8), text("journal", 1024),
		{Key: "duration_ms", Type: appwrite.TypeInteger},
		text("tool", 64),
	}
}

// Ensure makes the database and the collection of the history where they are
// missing. It holds no lease and needs none: whatever another process has made
// meanwhile is compared and taken over, and an attribute that is made last tells
// that all the others are there. The error wraps ErrHistory when what is there
// is something else.
func (h History) Ensure(ctx context.Context, client *appwrite.Client) error {
	h, err := h.filled()
	if err != nil {
		return err
	}
	if err := h.ensure(ctx, client); err != nil {
		return fmt.Errorf("prepare the history in %s/%s: %w", h.Database, h.Collection, err)
	}
	return nil
}

func (h History) ensure(ctx context.Context, client *appwrite.Client) error {
	existing, err := client.ListAttributes(ctx, h.Database, h.Collection)
	if errors.Is(err, appwrite.ErrNotFound) {
		if err := h.containers(ctx, client); err != nil {
			return err
		}
		existing, err = client.ListAttributes(ctx, h.Database, h.Collection)
	}
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(existing, func(a appwrite.Attribute) bool { return a.Key == marker }); i >= 0 && existing[i].Status == appwrite.StatusAvailable {
		return nil
	}
	if err := h.attributes(ctx, client, existing, historyAttributes()); err != nil {
		return err
	}
	return h.attributes(ctx, client, nil, []appwrite.Attribute{{Key: marker, Type: appwrite.TypeInteger, Default: json.RawMessage("1")}})
}

// containers makes the database and the collection unless they are there.
func (h History) containers(ctx context.Context, client *appwrite.Client) error {
	_, err := client.FindDatabase(ctx, h.Database)
	if errors.Is(err, appwrite.ErrNotFound) {
		_, err = client.CreateDatabase(ctx, appwrite.Database{ID: h.Database, Name: "Backstep", Enabled: true})
	}
	if err != nil && !errors.Is(err, appwrite.ErrExists) {
		return err
	}
	_, err = client.FindCollection(ctx, h.Database, h.Collection)
	if errors.Is(err, appwrite.ErrNotFound) {
		_, err = client.CreateCollection(ctx, h.Database, appwrite.Collection{ID: h.Collection, Name: h.Name, Enabled: true})
	}
	if err != nil && !errors.Is(err, appwrite.ErrExists) {
		return err
	}
	return nil
}

// attributes makes those of wanted that are missing and waits for all of them.
func (h History) attributes(ctx context.Context, client *appwrite.Client, existing, wanted []appwrite.Attribute) error {
	var awaited []appwrite.Awaited
	for _, w := range wanted {
		i := slices.IndexFunc(existing, func(a appwrite.Attribute) bool { return a.Key == w.Key })
		var found appwrite.Attribute
		var err error
		if i >= 0 {
			found = existing[i]
		} else if found, err = client.CreateAttribute(ctx, h.Database, h.Collection, w); errors.Is(err, appwrite.ErrExists) {
			found, err = client.FindAttribute(ctx, h.Database, h.Collection, w.Key)
		}
		if err != nil {
			return err
		}
		if found.Type != w.Type || found.Array || found.Size < w.Size {
			return fmt.Errorf("%w: its attribute %s is %s of size %d, not %s of size %d: name another collection", ErrHistory, w.Key, found.Type, found.Size, w.Type, w.Size)
		}
		awaited = append(awaited, appwrite.Awaited{Collection: h.Collection, Attribute: w.Key})
	}
	return client.WaitAvailable(ctx, h.Database, awaited)
}

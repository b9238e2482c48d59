package documents

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwritetest/internal/api"
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpdate"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

// view is how a request wants records shown.
type view struct {
	dialect  api.Dialect
	sequence profile.SequenceKind
	selected []string // names to show; nil means all
}

func (r *Room) view(req *api.Request) view {
	v := view{dialect: req.Dialect, sequence: r.Profile.Sequence()}
	format := req.HTTP.Header.Get("X-Appwrite-Response-Format")
	if v.sequence == profile.StringSequence && olderFormat(format, 9) {
		v.sequence = profile.IntSequence
	}
	return v
}

// selecting is the view of a read. Clients of the legacy API that ask for a
// format before 1.8 get everything related, as they used to; so do reads that
// name a transaction, whether it is known or not.
func (r *Room) selecting(req *api.Request, col *catalog.Collection, selected []string) view {
	v := r.view(req)
	v.selected = selected
	format := req.HTTP.Header.Get("X-Appwrite-Response-Format")
	older := req.Dialect == api.Legacy && olderFormat(format, 8)
	if selected == nil && r.Profile.TablesDB() && (older || stages(req)) {
		v.selected = r.everything(col, "", maxDepth)
	}
	return v
}

// everything selects all of a record and of what it is related to.
func (r *Room) everything(col *catalog.Collection, back string, depth int) []string {
	names := []string{"*"}
	if depth == 0 {
		return names
	}
	for _, s := range r.sides(col) {
		if hidden(s.Definition) || s.Key == back {
			continue
		}
		for _, name := range r.everything(s.related, s.other.Key, depth-1) {
			names = append(names, s.Key+"."+name)
		}
	}
	return names
}

// olderFormat says whether a response format is below 1.minor; what is no
// version counts as old.
func olderFormat(format string, minor int) bool {
	if format == "" {
		return false
	}
	first, rest, _ := strings.Cut(format, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errMajor := strconv.Atoi(first)
	b, errMinor := strconv.Atoi(second)
	return errMajor != nil || errMinor != nil || a < 1 || (a == 1 && b < minor)
}

// shows says whether an attribute is to be shown.
func (v view) shows(key string) bool {
	return v.selected == nil || slices.Contains(v.selected, key) || slices.Contains(v.selected, "*")
}

// render is the model of a record without its relationships.
func (v view) render(col *catalog.Collection, record *store.Record) *phpjson.Object {
	out := &phpjson.Object{}
	for i := range col.Schema.Attributes {
		if d := &col.Schema.Attributes[i]; d.Relation == nil && v.shows(d.Key) {
			out.Set(d.Key, shown(d, record.Value(d.Column)))
		}
	}
	v.addSystem(out, col, record)
	return out
}

// shown is a stored value as clients see it: null lists are empty.
func shown(d *catalog.Definition, stored any) any {
	if stored == nil && d.Array {
		return []any{}
	}
	return stored
}

// addSystem adds the fields that begin with a dollar sign. Since 1.8 they come
// whatever is selected.
func (v view) addSystem(out *phpjson.Object, col *catalog.Collection, record *store.Record) {
	partial := v.sequence == profile.NoSequence && v.selected != nil
	set := func(name string, value any) {
		if !partial || slices.Contains(v.selected, name) {
			out.Set(name, value)
		}
	}
	set("$id", record.ID)
	switch v.sequence {
	case profile.StringSequence:
		out.Set("$sequence", strconv.FormatInt(record.Sequence, 10))
	case profile.IntSequence:
		out.Set("$sequence", record.Sequence)
	case profile.NoSequence:
	}
	set("$createdAt", stamp(record.CreatedAt))
	set("$updatedAt", stamp(record.UpdatedAt))
	set("$permissions", append([]string{}, record.Permissions...))
	if !partial {
		v.addPlace(out, col)
	}
}

// addPlace adds the ids of what the record is in.
func (v view) addPlace(out *phpjson.Object, col *catalog.Collection) {
	out.Set("$databaseId", col.Database.ID)
	out.Set(v.dialect.Word("$collectionId"), col.ID)
}

func stamp(ms int64) string { return phpdate.Format(time.UnixMilli(ms)) }

// page is the model of a list of records.
func (v view) page(total int, records []*phpjson.Object) *phpjson.Object {
	return phpjson.Obj("total", total, v.dialect.Word("documents"), records)
}

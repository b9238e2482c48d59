package replica

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/schema"
)

// snapshot is everything a project holds, as far as an undo restores it: times
// of change and the order of insertion are the server's own.
type snapshot struct {
	model     schema.Model
	documents map[string]map[string]string // fields as JSON, by "document shop/products/lamp"
}

// take reads a whole project, but for the databases in except.
func take(ctx context.Context, client *appwrite.Client, except ...string) (snapshot, error) {
	model, err := schema.Live(ctx, client, except...)
	if err != nil {
		return snapshot{}, err
	}
	server, err := client.Detect(ctx)
	if err != nil {
		return snapshot{}, err
	}
	s := snapshot{model: model, documents: map[string]map[string]string{}}
	for _, db := range model.Databases {
		for _, col := range db.Collections {
			var fields []string
			links := linkKeys(model, db.ID, col.ID)
			if len(links) > 0 && server.Capabilities.Timestamps {
				fields = []string{"*"}
				for _, key := range links {
					if readable(db, col, key) {
						fields = append(fields, key+".*")
					}
				}
			}
			for page, err := range client.Walk(ctx, db.ID, col.ID, appwrite.WalkOptions{Select: fields}) {
				if err != nil {
					return snapshot{}, fmt.Errorf("read the documents of %s/%s: %w", db.ID, col.ID, err)
				}
				for _, d := range page {
					if s.documents["document "+db.ID+"/"+col.ID+"/"+d.ID], err = valuesOf(d, links, server.Capabilities.Timestamps); err != nil {
						return snapshot{}, err
					}
				}
			}
		}
	}
	return s, nil
}

// readable tells whether a server answers when asked for the links under a key:
// not at the parent's end of a relationship of a collection with itself.
func readable(db schema.Database, col schema.Collection, key string) bool {
	for _, other := range db.Collections {
		for _, a := range other.Attributes {
			if r := a.Relationship; r != nil && other.ID == col.ID && a.Key == key {
				return r.Related != col.ID
			}
		}
	}
	return true
}

// valuesOf gives what is compared of a document; links come in the order of
// linking, which means nothing.
func valuesOf(d appwrite.Document, links []string, times bool) (map[string]string, error) {
	fields := map[string]string{"$permissions": fmt.Sprint(slices.Sorted(slices.Values(d.Permissions)))}
	if times {
		fields["$createdAt"] = d.CreatedAt
	}
	for key, value := range d.Data {
		if ids, ok := value.([]any); ok && slices.Contains(links, key) {
			value = ordered(ids)
		}
		data, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", d.ID, err)
		}
		fields[key] = string(data)
	}
	return fields, nil
}

// differences tells how the project now differs from how it was.
func (s snapshot) differences(now snapshot) []string {
	var found []string
	for _, d := range schema.Compare(s.model, now.model) {
		found = append(found, d.String())
	}
	for _, path := range slices.Sorted(maps.Keys(s.documents)) {
		was, is := s.documents[path], now.documents[path]
		if is == nil {
			found = append(found, path+": present / absent")
			continue
		}
		keys := slices.Concat(slices.Collect(maps.Keys(was)), slices.Collect(maps.Keys(is)))
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			if was[key] != is[key] {
				found = append(found, fmt.Sprintf("%s: %s is %s / %s", path, key, shown(was[key]), shown(is[key])))
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(now.documents)) {
		if s.documents[path] == nil {
			found = append(found, path+": absent / present")
		}
	}
	return found
}

// undated gives the snapshot without the times at which documents were made, which
// differ when a migration makes them anew.
func (s snapshot) undated() snapshot {
	out := snapshot{model: s.model, documents: map[string]map[string]string{}}
	for path, values := range s.documents {
		values = maps.Clone(values)
		delete(values, "$createdAt")
		out.documents[path] = values
	}
	return out
}

// shown cuts a value to what a line of a report holds.
func shown(value string) string {
	const most = 60
	if value == "" {
		return "absent"
	}
	if runes := []rune(value); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return value
}

// ordered gives a list of ids in one order.
func ordered(ids []any) []any {
	return slices.SortedFunc(slices.Values(ids), func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

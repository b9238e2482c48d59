// Package oracle reads what an Appwrite project holds with a small client of
// its own, so that tests can judge by the server's state. It shares no code
// with the appwrite package: two wrongs would agree.
package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Reader reads one project.
type Reader struct {
	Endpoint string // with /v1
	Project  string
	Key      string
	Client   *http.Client // nil: http.DefaultClient
}

// Snapshot is what a project holds, by the paths of its objects:
// "shop", "shop/products", "shop/products/attributes/title",
// "shop/products/indexes/by_title", "shop/products/documents/lamp". Each value
// is the object's JSON with sorted keys, without what a re-creation changes:
// times, sequences and internal ids.
type Snapshot map[string]string

// String lists the snapshot in order, one object a line.
func (s Snapshot) String() string {
	paths := make([]string, 0, len(s))
	for p := range s {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, "%s %s\n", p, s[p])
	}
	return b.String()
}

// Read gives a snapshot of every database whose id pick accepts.
func (r Reader) Read(ctx context.Context, pick func(database string) bool) (Snapshot, error) {
	w, err := r.words(ctx)
	if err != nil {
		return nil, err
	}
	s := Snapshot{}
	databases, err := r.list(ctx, w.base, "databases", "")
	if err != nil {
		return nil, err
	}
	for _, d := range databases {
		id := text(d, "$id")
		if !pick(id) {
			continue
		}
		s[id] = clean(d)
		if err := r.collections(ctx, w, id, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (r Reader) collections(ctx context.Context, w words, database string, s Snapshot) error {
	base := w.base + "/" + database + "/" + w.containers
	collections, err := r.list(ctx, base, w.containers, "")
	if err != nil {
		return err
	}
	for _, c := range collections {
		id := text(c, "$id")
		path := database + "/" + id
		// The lists of their own routes are read, not the embedded ones,
		// which a server may answer from a stale cache.
		delete(c, w.fields)
		delete(c, "indexes")
		s[path] = clean(c)
		var links []string
		for _, part := range []struct{ route, key, kind, id string }{
			{w.fields, w.fields, "attributes", "key"},
			{"indexes", "indexes", "indexes", "key"},
			{w.records, w.records, "documents", "$id"},
		} {
			var selected string
			if part.kind == "documents" && len(links) > 0 && w.selects {
				selected = `{"method":"select","values":["*","` + strings.Join(links, `.*","`) + `.*"]}`
			}
			items, err := r.list(ctx, base+"/"+id+"/"+part.route, part.key, selected)
			if err != nil {
				return err
			}
			for _, item := range items {
				if isReadableLink(id, item) {
					links = append(links, text(item, "key"))
				}
				if part.kind == "documents" {
					item = withIDs(item)
				}
				s[path+"/"+part.kind+"/"+text(item, part.id)] = clean(item)
			}
		}
	}
	return nil
}

// isReadableLink reports whether an attribute is a relationship that can be
// selected: the parent side of one with its own collection cannot.
func isReadableLink(collection string, attribute map[string]any) bool {
	if text(attribute, "type") != "relationship" || text(attribute, "status") != "available" {
		return false
	}
	related := text(attribute, "relatedTable") + text(attribute, "relatedCollection")
	return related != collection || text(attribute, "side") == "child"
}

// withIDs puts ids in the place of related documents, lists of them sorted.
func withIDs(document map[string]any) map[string]any {
	out := make(map[string]any, len(document))
	for key, value := range document {
		switch v := value.(type) {
		case map[string]any:
			value = v["$id"]
		case []any:
			value = idsOf(v)
		}
		out[key] = value
	}
	return out
}

func idsOf(list []any) []any {
	var ids []string
	for _, element := range list {
		nested, ok := element.(map[string]any)
		if !ok {
			return list
		}
		ids = append(ids, text(nested, "$id"))
	}
	slices.Sort(ids)
	out := make([]any, len(ids))
	for i := range ids {
		out[i] = ids[i]
	}
	return out
}

// words are the two dialects' names for the same things.
type words struct {
	base, containers, fields, records string
	// selects: related documents are shown only when they are selected.
	selects bool
}

func (r Reader) words(ctx context.Context) (words, error) {
	status, _, err := r.get(ctx, "/tablesdb")
	if err != nil {
		return words{}, err
	}
	if status == http.StatusOK {
		return words{"/tablesdb", "tables", "columns", "rows", true}, nil
	}
	return words{"/databases", "collections", "attributes", "documents", false}, nil
}

// list reads a whole list, a hundred at a time, with one more query unless it is "".
func (r Reader) list(ctx context.Context, path, key, more string) ([]map[string]any, error) {
	const page = 100
	var all []map[string]any
	for {
		q := url.Values{}
		q.Add("queries[0]", fmt.Sprintf(`{"method":"limit","values":[%d]}`, page))
		q.Add("queries[1]", fmt.Sprintf(`{"method":"offset","values":[%d]}`, len(all)))
		if more != "" {
			q.Add("queries[2]", more)
		}
		status, body, err := r.get(ctx, path+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		if status != http.StatusOK {
			return nil, fmt.Errorf("oracle: GET %s: %d: %s", path, status, body)
		}
		var answer map[string]json.RawMessage
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, fmt.Errorf("oracle: GET %s: %w", path, err)
		}
		items, err := decode(answer[key])
		if err != nil {
			return nil, fmt.Errorf("oracle: GET %s: %s: %w", path, key, err)
		}
		all = append(all, items...)
		if len(items) < page {
			return all, nil
		}
	}
}

func decode(data []byte) ([]map[string]any, error) {
	var items []map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err := d.Decode(&items)
	return items, err
}

func (r Reader) get(ctx context.Context, path string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Endpoint+path, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("oracle: %w", err)
	}
	req.Header.Set("X-Appwrite-Project", r.Project)
	req.Header.Set("X-Appwrite-Key", r.Key)
	client := r.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("oracle: %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("oracle: read the answer of %s: %w", path, err)
	}
	return res.StatusCode, body, nil
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// clean gives an object's JSON without what a re-creation changes. An index's
// $id holds internal sequences.
func clean(m map[string]any) string {
	m = mapsWithout(m, "$createdAt", "$updatedAt", "$sequence", "bytesUsed", "bytesMax")
	if _, isIndex := m["lengths"]; isIndex {
		m = mapsWithout(m, "$id")
	}
	data, err := json.Marshal(m) // sorts keys
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func mapsWithout(m map[string]any, keys ...string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		if !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

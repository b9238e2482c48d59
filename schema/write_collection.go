package schema

import (
	"slices"

	"github.com/backstep-dev/backstep/appwrite"
)

// home names the database that a collection of the file belongs to.
func (w *fileWriter) home(item *node) string {
	if id := memberText(item, "databaseId"); id != "" {
		return id
	}
	id := memberText(item, "$id", "id", "collectionId", "tableId")
	for _, db := range w.file.Model.Databases {
		if db.collection(id) != nil {
			return db.ID
		}
	}
	return ""
}

// kept gives a collection of the file as it shall be, nil when it shall not be.
func (w *fileWriter) kept(item *node, words Words, placed map[string]bool) *node {
	database, id := w.home(item), memberText(item, "$id", "id", "collectionId", "tableId")
	i := slices.IndexFunc(w.model.Databases, func(d Database) bool { return d.ID == database })
	if i < 0 {
		return nil
	}
	want := w.model.Databases[i].collection(id)
	if want == nil {
		return nil
	}
	placed[database+"/"+id] = true
	var before Collection
	for _, db := range w.file.Model.Databases {
		if c := db.collection(id); db.ID == database && c != nil {
			before = *c
		}
	}
	if before.Name != want.Name {
		item = item.set("name", textNode(want.Name))
	}
	item = setFlag(item, true, want.Enabled, "enabled")
	if before.DocumentSecurity != want.DocumentSecurity {
		item = item.without("permission").setAny(truthNode(want.DocumentSecurity), securityWord(words), "documentSecurity", "rowSecurity")
	}
	if permissions := canonicalPermissions(want.Permissions); !slices.Equal(canonicalPermissions(before.Permissions), permissions) {
		item = item.without("permissions", "$read", "$write").set("$permissions", textsNode(permissions))
	}
	item = w.keptAttributes(item, database, *want, words)
	return keptIndexes(item, before, *want, words)
}

func securityWord(words Words) string {
	if words == Tables {
		return "rowSecurity"
	}
	return "documentSecurity"
}

// fieldsWord is what attributes are called.
func fieldsWord(words Words) string {
	if words == Tables {
		return "columns"
	}
	return "attributes"
}

// keptAttributes takes the attributes of a collection that is in the file to
// what they shall be.
func (w *fileWriter) keptAttributes(item *node, database string, want Collection, words Words) *node {
	name := firstMember(item, "attributes", "columns")
	var items []*node
	there := map[string]bool{}
	changed := name == ""
	if name != "" {
		for _, n := range item.member(name).items {
			place := end{database, want.ID, memberText(n, "key", "$id", "id")}
			a, stays := w.new[place]
			if !stays || there[place.key] {
				changed = true
				continue
			}
			there[place.key] = true
			if old, known := w.old[place]; !known || len(compareAttribute(old, a)) > 0 {
				n, changed = attributeNode(n, a, w.sides[place], words), true
			}
			items = append(items, n)
		}
	}
	for _, a := range w.attributesOf(database, want) {
		place := end{database, want.ID, a.Key}
		if there[a.Key] || w.declaredElsewhere(place, a) {
			continue
		}
		changed = true
		items = append(items, attributeNode(&node{kind: kindObject}, a, w.sides[place], words))
	}
	if !changed {
		return item
	}
	return item.setAny(listNode(items...), fieldsWord(words), "attributes", "columns")
}

// declaredElsewhere tells whether the file already says of a relationship what
// it shall, at its other end only.
func (w *fileWriter) declaredElsewhere(place end, a Attribute) bool {
	old, known := w.old[place]
	return known && twoWay(a) && len(compareAttribute(old, a)) == 0
}

// attributesOf gives everything a file lists under a collection: its attributes
// and the far ends of two-way relationships.
func (w *fileWriter) attributesOf(database string, c Collection) []Attribute {
	list := slices.Clone(c.Attributes)
	for _, db := range w.model.Databases {
		if db.ID != database {
			continue
		}
		for _, other := range db.Collections {
			for _, a := range other.Attributes {
				if twoWay(a) && a.Relationship.Related == c.ID {
					list = append(list, turned(other.ID, a))
				}
			}
		}
	}
	return list
}

func firstMember(n *node, names ...string) string {
	for _, name := range names {
		if m := n.member(name); m != nil && m.kind == kindList {
			return name
		}
	}
	return ""
}

// keptIndexes takes the indexes of a collection that is in the file to what they
// shall be.
func keptIndexes(item *node, before, want Collection, words Words) *node {
	var items []*node
	there := map[string]bool{}
	changed := false
	if firstMember(item, "indexes") != "" {
		for _, n := range item.member("indexes").items {
			key := memberText(n, "key", "$id", "id")
			x := want.index(key)
			if x == nil || there[key] {
				changed = true
				continue
			}
			there[key] = true
			if old := before.index(key); old == nil || len(compareIndex(old.onLists(before), x.onLists(want))) > 0 {
				n, changed = indexNode(n, *x, words), true
			}
			items = append(items, n)
		}
	}
	for _, x := range want.Indexes {
		if !there[x.Key] {
			changed = true
			items = append(items, indexNode(&node{kind: kindObject}, x, words))
		}
	}
	if !changed {
		return item
	}
	return item.set("indexes", listNode(items...))
}

func (c *Collection) index(key string) *Index {
	i := slices.IndexFunc(c.Indexes, func(x Index) bool { return x.Key == key })
	if i < 0 {
		return nil
	}
	return &c.Indexes[i]
}

func databaseNode(db Database) *node {
	return (&node{kind: kindObject}).set("$id", textNode(db.ID)).set("name", textNode(db.Name)).set("enabled", truthNode(db.Enabled))
}

func (w *fileWriter) collectionNode(db Database, c Collection, words Words) *node {
	attributes, indexes := listNode(), listNode()
	for _, a := range w.attributesOf(db.ID, c) {
		attributes.items = append(attributes.items, attributeNode(&node{kind: kindObject}, a, w.sides[end{db.ID, c.ID, a.Key}], words))
	}
	for _, x := range c.Indexes {
		indexes.items = append(indexes.items, indexNode(&node{kind: kindObject}, x, words))
	}
	return (&node{kind: kindObject}).set("$id", textNode(c.ID)).
		set("$permissions", textsNode(canonicalPermissions(c.Permissions))).
		set("databaseId", textNode(db.ID)).set("name", textNode(c.Name)).set("enabled", truthNode(c.Enabled)).
		set(securityWord(words), truthNode(c.DocumentSecurity)).
		set(fieldsWord(words), attributes).set("indexes", indexes)
}

// attributeNode says of an attribute what it shall, in the CLI's words; what
// else the object says stays.
func attributeNode(n *node, a Attribute, side string, words Words) *node {
	word, format := a.Type, ""
	switch a.Type {
	case appwrite.TypeFloat:
		word = "double"
	case appwrite.TypeLine:
		word = "linestring"
	case appwrite.TypeEmail, appwrite.TypeEnum, appwrite.TypeIP, appwrite.TypeURL:
		word, format = appwrite.TypeString, a.Type
	}
	n = n.setAny(textNode(a.Key), "key", "$id", "id").set("type", textNode(word)).
		set("required", truthNode(a.Required)).set("array", truthNode(a.Array))
	drop := []string{"size", "min", "max", "elements", "format", "encrypt", "relatedCollection", "relatedTable", "relatedCollectionId", "relatedTableId", "relationType", "relationshipType", "twoWay", "twoWayKey", "onDelete", "side", "status", "error"}
	put := func(name string, value *node) {
		n = n.set(name, value)
		drop = slices.DeleteFunc(drop, func(d string) bool { return d == name })
	}
	if a.Size > 0 {
		put("size", intNode(a.Size))
	}
	if a.Min != "" {
		put("min", numberNode(string(a.Min)))
	}
	if a.Max != "" {
		put("max", numberNode(string(a.Max)))
	}
	if a.Type == appwrite.TypeEnum {
		put("elements", textsNode(a.Elements))
	}
	if format != "" {
		put("format", textNode(format))
	}
	if r := a.Relationship; r != nil {
		put(firstOr(n, relatedWord(words), "relatedCollection", "relatedTable"), textNode(r.Related))
		put("relationType", textNode(fromParent(r.Type, side)))
		put("twoWay", truthNode(r.TwoWay))
		put("twoWayKey", textNode(r.TwoWayKey))
		put("onDelete", textNode(r.OnDelete))
		if side == "" {
			side = "parent"
		}
		put("side", textNode(side))
		return n.without(append(drop, "default")...)
	}
	put("default", valueNode(a.Default))
	if a.Encrypt || n.has("encrypt") && slices.Contains(encryptable(), a.Type) {
		put("encrypt", truthNode(a.Encrypt))
	}
	return n.without(drop...)
}

// fromParent gives a relationship's type as the parent sees it, which is how the
// server shows it at both ends.
func fromParent(relationship, side string) string {
	if side == "child" {
		return inverse(relationship)
	}
	return relationship
}

func relatedWord(words Words) string {
	if words == Tables {
		return "relatedTable"
	}
	return "relatedCollection"
}

// firstOr gives the first of the names that the object has, else fallback.
func firstOr(n *node, fallback string, names ...string) string {
	for _, name := range names {
		if n.has(name) {
			return name
		}
	}
	return fallback
}

func indexNode(n *node, x Index, words Words) *node {
	n = n.setAny(textNode(x.Key), "key", "$id", "id").set("type", textNode(x.Type)).
		setAny(textsNode(x.Attributes), fieldsWord(words), "attributes", "columns").
		set("orders", textsNode(x.Orders))
	if len(lengths(x)) == 0 {
		return n.without("lengths", "status", "error")
	}
	list := listNode()
	for _, length := range lengths(x) {
		list.items = append(list.items, intNode(int64(length)))
	}
	return n.set("lengths", list).without("status", "error")
}

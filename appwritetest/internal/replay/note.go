package replay

import "strings"

// applyNote changes an answer the way the recorder changed the recorded one.
func applyNote(note string, want, got any) any {
	object, ok := got.(map[string]any)
	if !ok {
		return got
	}
	if strings.Contains(note, "reduced to") {
		for key, value := range object {
			if list, ok := value.([]any); ok {
				object[key] = reduced(list)
			}
		}
	}
	if strings.Contains(note, "total is not comparable") {
		if recorded, ok := want.(map[string]any); ok && object["total"] != nil {
			object["total"] = recorded["total"]
		}
	}
	return object
}

// reduced replaces each record by its id, each attribute and index by its key.
func reduced(list []any) []any {
	names := make([]any, len(list))
	for i, element := range list {
		names[i] = element
		object, ok := element.(map[string]any)
		if !ok {
			continue
		}
		if key, ok := object["key"]; ok {
			names[i] = key
		}
		if id, ok := object["$id"]; ok {
			names[i] = id
		}
	}
	return names
}

// checkUpdatedAt holds a "$updatedAt:changed" or ":unchanged" note against the
// answer before, then remembers the time of this answer. Like the recorder it
// looks at answers that are one record, not at lists.
func (s *session) checkUpdatedAt(c *comparison, note string, got any) {
	record, _ := got.(map[string]any)
	id, hasID := record["$id"].(string)
	after, hasTime := record["$updatedAt"].(string)
	if !hasID || !hasTime {
		return
	}
	before, seen := s.updated[id]
	switch {
	case !strings.Contains(note, "$updatedAt:"), !seen:
	case strings.Contains(note, "$updatedAt:changed") && before == after:
		c.differ("body.$updatedAt", "want a change, still %q", after)
	case strings.Contains(note, "$updatedAt:unchanged") && before != after:
		c.differ("body.$updatedAt", "want it unchanged, was %q, got %q", before, after)
	}
	s.updated[id] = after
}

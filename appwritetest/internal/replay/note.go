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
// answer before, then remembers the times of this answer.
func (s *session) checkUpdatedAt(c *comparison, note string, got any) {
	if record, ok := got.(map[string]any); ok {
		id, _ := record["$id"].(string)
		after, _ := record["$updatedAt"].(string)
		before, seen := s.updated[id]
		switch {
		case !strings.Contains(note, "$updatedAt:"), !seen:
		case strings.Contains(note, "$updatedAt:changed") && before == after:
			c.differ("body.$updatedAt", "want a change, still %q", after)
		case strings.Contains(note, "$updatedAt:unchanged") && before != after:
			c.differ("body.$updatedAt", "want it unchanged, was %q, got %q", before, after)
		}
	}
	s.rememberTimes(got)
}

func (s *session) rememberTimes(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			s.rememberTimes(element)
		}
	case map[string]any:
		id, hasID := value["$id"].(string)
		updated, hasTime := value["$updatedAt"].(string)
		if hasID && hasTime {
			s.updated[id] = updated
		}
		for _, member := range value {
			s.rememberTimes(member)
		}
	}
}

package query

import (
	"slices"
	"strings"
	"unicode"
)

// minWord is the length from which MariaDB's fulltext index knows a word.
const minWord = 3

// searches follows Appwrite's use of MariaDB's boolean fulltext mode: text in
// quotes is a phrase; otherwise one word is enough, and the last word may go
// on.
func searches(haystack, sought string) bool {
	words, wanted := splitWords(haystack), splitWords(sought)
	if len(wanted) == 0 {
		return false
	}
	if len(sought) > 1 && strings.HasPrefix(sought, `"`) && strings.HasSuffix(sought, `"`) {
		for i := range words {
			if i+len(wanted) <= len(words) && slices.Equal(words[i:i+len(wanted)], wanted) {
				return true
			}
		}
		return false
	}
	last := len(wanted) - 1
	return slices.ContainsFunc(words, func(word string) bool {
		if len([]rune(word)) < minWord {
			return false
		}
		return strings.HasPrefix(word, wanted[last]) || slices.Contains(wanted[:last], word)
	})
}

func splitWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})
}

// Package nearest finds the word that somebody meant to write.
package nearest

import "strings"

// Word gives the word that a slip of the pen turns into name: at most two
// letters apart, one for short words. "" when none is near.
func Word(name string, words []string) string {
	const longest = 64 // no name in Appwrite or in our files comes close
	if len(name) > longest {
		return ""
	}
	best, distance := "", 3
	for _, word := range words {
		allowed := 2
		if len(word) < 6 {
			allowed = 1
		}
		if d := edits(strings.ToLower(name), strings.ToLower(word)); d <= allowed && d < distance {
			best, distance = word, d
		}
	}
	return best
}

// edits counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

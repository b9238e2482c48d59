package redact

import (
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shortest is how long a value must be to be taken out of any text. Shorter
// ones are taken out of lines that name a field, where they stand as a word.
const shortest = 4

// remember takes in values, each in the spellings that it may be met in.
func (r *Redactor) remember(values []string) {
	if len(values) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, value := range values {
		for _, spelling := range spellings(value) {
			if spelling == "" || r.values[spelling] {
				continue
			}
			r.values[spelling] = true
			r.lengths[len(spelling)]++
			r.order = append(r.order, spelling)
		}
	}
	for len(r.order) > memory {
		oldest := r.order[0]
		r.order = r.order[1:]
		delete(r.values, oldest)
		if r.lengths[len(oldest)]--; r.lengths[len(oldest)] == 0 {
			delete(r.lengths, len(oldest))
		}
	}
}

// spellings are the ways in which a value is written.
func spellings(value string) []string {
	all := []string{value, strings.TrimSpace(value)}
	quoted := strconv.Quote(value)
	all = append(all, quoted[1:len(quoted)-1], url.QueryEscape(value), url.PathEscape(value))
	if encoded, err := json.Marshal(value); err == nil {
		all = append(all, string(encoded[1:len(encoded)-1]))
	}
	for line := range strings.Lines(value) { // tables break them up
		if line = strings.TrimSpace(line); len(line) >= shortest {
			all = append(all, line)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Text gives a text without the values seen so far. Out of lines that name a
// field it takes short values, too, what stands behind the name and a colon or
// equals sign, and numbers that are told of it.
func (r *Redactor) Text(text string) string {
	if !r.Active() {
		return text
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	lengths := slices.Sorted(maps.Keys(r.lengths))
	slices.Reverse(lengths)
	text = r.replace(text, lengths, func(length int) bool { return length >= shortest })
	var out strings.Builder
	for line := range strings.Lines(text) {
		if r.named.MatchString(line) {
			line = r.replace(line, lengths, func(length int) bool { return length < shortest })
			line = r.computed.ReplaceAllString(line, "$1$2"+Mark) // such as a sum that never passed by
			line = r.mentions.ReplaceAllStringFunc(line, r.mention)
		}
		out.WriteString(line)
	}
	return out.String()
}

// replace takes out the values whose length is wanted, the longest first.
func (r *Redactor) replace(text string, lengths []int, wanted func(int) bool) string {
	var out strings.Builder
	for at := 0; at < len(text); {
		length := r.match(text, at, lengths, wanted)
		if length == 0 {
			_, size := utf8.DecodeRuneInString(text[at:])
			out.WriteString(text[at : at+size])
			at += size
			continue
		}
		out.WriteString(Mark)
		at += length
	}
	return out.String()
}

// match gives the length of the longest value that begins at a place, 0 for none.
func (r *Redactor) match(text string, at int, lengths []int, wanted func(int) bool) int {
	for _, length := range lengths {
		if !wanted(length) || at+length > len(text) || !r.values[text[at:at+length]] {
			continue
		}
		if length >= shortest && !number(text[at:at+length]) || wordAt(text, at, length) {
			return length
		}
	}
	return 0
}

// number says whether a value is digits only; those are part of too much else,
// times and hashes among it, to be taken out where they are no word of their own.
func number(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' })
}

// wordAt says whether a part of text stands by itself.
func wordAt(text string, at, length int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at])
	after, _ := utf8.DecodeRuneInString(text[at+length:])
	inWord := func(c rune) bool { return c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c)) }
	return !inWord(before) && !inWord(after)
}

// mention replaces the value in a match of r.mentions.
func (r *Redactor) mention(match string) string {
	parts := r.mentions.FindStringSubmatch(match)
	if parts[4] == "null" || strings.Contains(parts[4], Mark) || parts[4][0] == '{' || parts[4][0] == '[' {
		return match
	}
	return parts[1] + parts[2] + parts[3] + Mark
}

// Writer redacts what is written to w, each write as a text of its own.
func (r *Redactor) Writer(w io.Writer) io.Writer { return writer{r, w} }

// Unwrapped gives the writer below one of Writer, for what is redacted already.
func Unwrapped(w io.Writer) io.Writer {
	if wrapped, ok := w.(writer); ok {
		return wrapped.w
	}
	return w
}

type writer struct {
	r *Redactor
	w io.Writer
}

func (w writer) Write(p []byte) (int, error) {
	if !w.r.Active() {
		return w.w.Write(p)
	}
	if _, err := io.WriteString(w.w, w.r.Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

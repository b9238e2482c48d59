package steps

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// findTwins finds the documents that a unique index over their attributes would
// refuse. It holds a hash a document; the walk is repeated to name the twins.
func findTwins(ctx context.Context, client *appwrite.Client, ref engine.Ref, index IndexImage) (misfits, error) {
	keyer, err := newKeyer(ctx, client, ref, index)
	if err != nil || keyer.blind {
		return misfits{}, err
	}
	counts := map[[16]byte]bool{} // true: met more than once
	twice := false
	walk := func(each func(id string, sum [16]byte)) error {
		for page, err := range client.Walk(ctx, ref.Database, ref.Collection, appwrite.WalkOptions{Select: keyer.fields()}) {
			if err != nil {
				return err
			}
			for _, document := range page {
				if sum, whole := keyer.sum(document); whole {
					each(document.ID, sum)
				}
			}
		}
		return nil
	}
	err = walk(func(_ string, sum [16]byte) {
		_, met := counts[sum]
		counts[sum] = met
		twice = twice || met
	})
	if err != nil || !twice {
		return misfits{}, err
	}
	var found misfits
	first := map[[16]byte]bool{}
	err = walk(func(id string, sum [16]byte) {
		if !counts[sum] {
			return
		}
		found.add(id, "")
		if !first[sum] {
			first[sum] = true
			found.Count-- // the first of them repeats nothing
		}
	})
	return found, err
}

// keyer turns documents into what a unique index compares.
type keyer struct {
	index  IndexImage
	folded bool // compare text as MariaDB does: without case, accents, trailing blanks
	// blind: an attribute is encrypted, so that the index never finds two alike.
	blind bool
}

// newKeyer finds out how the server compares the attributes.
func newKeyer(ctx context.Context, client *appwrite.Client, ref engine.Ref, index IndexImage) (keyer, error) {
	backend, err := client.Backend(ctx)
	if err != nil {
		return keyer{}, err
	}
	attributes, err := client.ListAttributes(ctx, ref.Database, ref.Collection)
	if err != nil {
		return keyer{}, err
	}
	k := keyer{index: index, folded: backend != "mongodb" && backend != "postgresql"}
	for _, attribute := range attributes {
		if attribute.Encrypt && slices.Contains(index.Attributes, attribute.Key) {
			k.blind = true
		}
	}
	return k, nil
}

// fields are the attributes to read; what every document has needs no asking.
func (k keyer) fields() []string {
	var named []string
	for _, key := range k.index.Attributes {
		if !strings.HasPrefix(key, "$") {
			named = append(named, key)
		}
	}
	if len(named) == 0 {
		return []string{"$id"}
	}
	return named
}

// sum hashes what the index compares; false when a part is null, which is
// unlike everything.
func (k keyer) sum(document appwrite.Document) ([16]byte, bool) {
	h := sha256.New()
	for i, key := range k.index.Attributes {
		value := document.Data[key]
		switch key {
		case "$id":
			value = document.ID
		case "$createdAt":
			value = document.CreatedAt
		case "$updatedAt":
			value = document.UpdatedAt
		}
		if value == nil {
			return [16]byte{}, false
		}
		if text, ok := value.(string); ok {
			value = k.comparable(text, at(k.index.Lengths, i))
		}
		raw, err := encode(value)
		if err != nil {
			return [16]byte{}, false
		}
		h.Write(canonicalValue(raw))
		h.Write([]byte{0})
	}
	return [16]byte(h.Sum(nil)[:16]), true
}

// comparable cuts text to the indexed length and folds it.
func (k keyer) comparable(text string, length int) string {
	if length > 0 {
		if r := []rune(text); len(r) > length {
			text = string(r[:length])
		}
	}
	if !k.folded {
		return text
	}
	plain, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), text)
	if err != nil {
		plain = text
	}
	return cases.Fold().String(strings.TrimRight(plain, " "))
}

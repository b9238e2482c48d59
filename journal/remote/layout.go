package remote

import (
	"crypto/sha256"
	"math/big"

	"github.com/backstep-dev/backstep/appwrite"
)

// The collections of the journal in the reserved database.
const (
	recordsCollection  = "records"
	chunksCollection   = "chunks"
	receiptsCollection = "receipts"
)

// maxRun is how many characters a run's id may have.
const maxRun = 255

// shapes are the journal's collections. Every document has the key of its run,
// which servers compare exactly, unlike the id of the run itself.
func shapes() []shape {
	return []shape{
		{
			id: recordsCollection, name: "Backstep records",
			attributes: []appwrite.Attribute{
				text("key", keyChars), text("run", maxRun), number("seq"), number("last"), text("edge", 16),
				text("records", 4<<20),
			},
			indexes: []appwrite.Index{indexOn("by_key", "key", "seq"), indexOn("by_edge", "edge")},
		},
		{
			id: chunksCollection, name: "Backstep chunks",
			attributes: []appwrite.Attribute{
				text("key", keyChars), text("name", 1024), number("part"), number("parts"), text("data", 8<<20),
			},
			indexes: []appwrite.Index{indexOn("by_key", "key")},
		},
		{
			id: receiptsCollection, name: "Backstep receipts",
			attributes: []appwrite.Attribute{
				text("key", keyChars), text("slot", keyChars), text("run", maxRun), text("operation", 1024),
				number("generation"), text("state", 16),
			},
			indexes: []appwrite.Index{indexOn("by_key", "key"), indexOn("by_slot", "slot")},
		},
	}
}

// keyChars is how long a key is at most.
const keyChars = 25

// keyOf makes of any text what can begin a document's id: 128 bits of its
// SHA-256 in base 36. Texts that differ in letter case only get other keys,
// though servers compare ids without regard to it.
func keyOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return new(big.Int).SetBytes(sum[:16]).Text(36)
}

package steps

import (
	"slices"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
)

// maxTogether is how many documents one operation creates: what a server writes
// in one storage transaction.
const maxTogether = 1000

// maxTogetherSize bounds the JSON of those documents; one staged operation takes
// 5,000,000 characters.
const maxTogetherSize = 4 << 20

// Batch is a planner pass that joins neighbouring create_document steps of one
// collection into one operation where that is cheaper. It leaves alone what a
// bulk write would not do in the same way: documents with dates of their own,
// texts that a transaction would compute, permissions that single routes take
// apart, steps with a retry policy, documents that an earlier step of the plan
// has touched, and every collection that has relationships, by this plan or as
// related tells of the server's. A nil related takes every collection that the
// plan does not make itself for one that has.
func Batch(related func(database, collection string) bool) engine.Pass {
	return func(operations []engine.Operation) ([]engine.Operation, error) {
		b := batching{related: related, made: made(operations), touched: map[engine.Ref]bool{}}
		for _, operation := range operations {
			b.add(operation)
		}
		b.flush()
		return b.planned, nil
	}
}

// batching is one run of the pass.
type batching struct {
	related func(database, collection string) bool
	made    fresh
	touched map[engine.Ref]bool // documents, ids in lower case
	group   []engine.Operation  // neighbours that fit together
	size    int                 // of their JSON
	planned []engine.Operation
}

// fresh is what a plan itself makes: collections, and relationships between them.
type fresh struct {
	collections map[engine.Ref]bool
	related     map[engine.Ref]bool
}

func made(operations []engine.Operation) fresh {
	made := fresh{collections: map[engine.Ref]bool{}, related: map[engine.Ref]bool{}}
	for _, operation := range operations {
		ref := operation.Effect.Target()
		switch step := untuned(operation.Effect).(type) {
		case CreateCollection:
			made.collections[ref] = true
		case CreateRelationship:
			made.related[collectionRef(ref.Database, ref.Collection)] = true
			made.related[collectionRef(ref.Database, step.Related)] = true
		case CreateDocument:
		default:
			if ref.Type == "relationship" { // restored, renamed or changed
				made.related[collectionRef(ref.Database, ref.Collection)] = true
			}
		}
	}
	return made
}

// untuned is the step inside a retry policy.
func untuned(step engine.Step) engine.Step {
	switch s := step.(type) {
	case tuned:
		return s.bindable
	case tunedSplitter:
		return s.bindable
	default:
		return step
	}
}

// add takes the next operation of the plan.
func (b *batching) add(operation engine.Operation) {
	step, size, ok := b.joinable(operation.Effect)
	if ok && len(b.group) > 0 {
		first := b.group[0].Effect.Target()
		ok = first.Database == step.Database && first.Collection == step.Collection &&
			len(b.group) < maxTogether && b.size+size <= maxTogetherSize
		if !ok {
			b.flush()
			ok = true
		}
	}
	if !ok {
		b.flush()
		b.planned = append(b.planned, operation)
	} else {
		b.group, b.size = append(b.group, operation), b.size+size
	}
	for _, ref := range operation.Steps {
		b.touched[folded(ref.Target())] = true
	}
	b.touched[folded(operation.Effect.Target())] = true
}

// folded is a reference as servers compare ids, without regard to case.
func folded(ref engine.Ref) engine.Ref {
	ref.Key = strings.ToLower(ref.Key)
	return ref
}

// joinable reports whether a step can be part of a bulk creation.
func (b *batching) joinable(step engine.Step) (CreateDocument, int, bool) {
	s, ok := step.(CreateDocument)
	if !ok || s.CreatedAt+s.UpdatedAt != "" || b.touched[folded(s.Target())] && s.ID != "" || b.hasLinks(s.Database, s.Collection) {
		return s, 0, false
	}
	for _, value := range s.Data {
		if appwrite.LooksLikeOperator(value) {
			return s, 0, false
		}
	}
	if slices.ContainsFunc(s.Permissions, func(permission string) bool { return strings.HasPrefix(permission, "write(") }) {
		return s, 0, false
	}
	raw, err := encode(s)
	return s, len(raw), err == nil
}

// hasLinks reports whether a collection has relationships, or may have.
func (b *batching) hasLinks(database, collection string) bool {
	ref := collectionRef(database, collection)
	switch {
	case b.made.related[ref]:
		return true
	case b.made.collections[ref]:
		return false
	default:
		return b.related == nil || b.related(database, collection)
	}
}

// flush plans the group as one operation, where that is cheaper than as many.
func (b *batching) flush() {
	group := b.group
	b.group, b.size = nil, 0
	if !cheaperTogether(len(group)) {
		b.planned = append(b.planned, group...)
		return
	}
	first := group[0].Effect.(CreateDocument) // joinable has checked it
	effect := CreateDocuments{Database: first.Database, Collection: first.Collection, client: first.client}
	joined := engine.Operation{}
	for _, operation := range group {
		s := operation.Effect.(CreateDocument) // as above
		effect.Documents = append(effect.Documents, NewDocument{ID: s.ID, Data: s.Data, Permissions: s.Permissions})
		joined.Steps = append(joined.Steps, operation.Steps...)
	}
	joined.Effect = effect
	b.planned = append(b.planned, joined)
}

// What creating documents costs, in time on a real server (1.8.1 and 1.9.6 on
// MariaDB): 100 operations in one transaction took 570 ms, one bulk creation of
// 1,000 documents 136 ms. A request that does next to nothing takes about 5 ms.
const (
	perRequest    = 5 * time.Millisecond
	perOperation  = 5700 * time.Microsecond
	perInBulk     = 136 * time.Microsecond
	perPage       = 100 // documents that one read names
	singleReads   = 4   // requests of one step besides its writes: its collection twice, the document twice
	togetherReads = 2   // of a bulk creation, besides reading its documents thrice
	writes        = 5   // finding a receipt, and a transaction: open, stage twice, commit
)

// costApart is how long creating n documents takes, each in an operation of its own.
func costApart(n int) time.Duration {
	return time.Duration(n) * ((singleReads+writes)*perRequest + perOperation)
}

// costTogether is how long creating n documents takes in one operation.
func costTogether(n int) time.Duration {
	pages := (n + perPage - 1) / perPage
	return time.Duration(togetherReads+writes+3*pages)*perRequest + time.Duration(n)*perInBulk
}

// cheaperTogether is the rule by which steps are joined.
func cheaperTogether(n int) bool { return n > 1 && costTogether(n) < costApart(n) }

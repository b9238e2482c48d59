package steps

import (
	"context"
	"slices"

	"github.com/appwrite/sdk-for-go/query"

	"github.com/backstep-dev/backstep/appwrite"
)

// neighbourhood knows the relationships of a database, so that the effects of a
// deletion can be told before it happens.
type neighbourhood struct {
	client      *appwrite.Client
	database    string
	collections map[string]appwrite.Collection
	server      appwrite.Capabilities
}

func readNeighbourhood(ctx context.Context, client *appwrite.Client, database string) (neighbourhood, error) {
	server, err := client.Detect(ctx)
	if err != nil {
		return neighbourhood{}, err
	}
	collections, err := client.ListCollections(ctx, database)
	if err != nil {
		return neighbourhood{}, err
	}
	n := neighbourhood{
		client: client, database: database, server: server.Capabilities,
		collections: make(map[string]appwrite.Collection, len(collections)),
	}
	for _, collection := range collections {
		n.collections[collection.ID] = collection
	}
	return n, nil
}

func (n neighbourhood) shape(collection string) shape {
	return newShape(n.collections[collection], n.server)
}

// unrelated reports whether no relationship leads from or to a collection.
func (n neighbourhood) unrelated(collection string) bool {
	for id, other := range n.collections {
		for _, attribute := range other.Attributes {
			if r := attribute.Relationship; r != nil && (id == collection || r.Related == collection) {
				return false
			}
		}
	}
	return true
}

func (n neighbourhood) links(collection string) []string { return n.shape(collection).links }

func (n neighbourhood) place(collection, id string) place {
	return place{client: n.client, database: n.database, collection: collection, id: id}
}

// member names a document of the database.
type member struct{ collection, id string }

// affected gives what deleting documents does: the documents that go, themselves
// first, then the links that staying documents lose.
func (n neighbourhood) affected(ctx context.Context, queue []member) ([]asideItem, error) {
	var documents []asideItem
	var links []lostLink
	seen := map[member]bool{}
	for _, first := range queue {
		seen[first] = true
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		live, found, err := n.place(at.collection, at.id).read(ctx, n.links(at.collection))
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		documents = append(documents, asideItem{Document: &live})
		inbound, err := n.inbound(ctx, at)
		if err != nil {
			return nil, err
		}
		next := n.cascade(live)
		for _, link := range inbound {
			if n.cascades(link) {
				next = append(next, member{link.Collection, link.ID})
			} else {
				links = append(links, link)
			}
		}
		for _, far := range next {
			if !seen[far] {
				seen[far] = true
				queue = append(queue, far)
			}
		}
	}
	for _, link := range links {
		if !seen[member{link.Collection, link.ID}] {
			documents = append(documents, asideItem{Link: &link})
		}
	}
	return documents, nil
}

// cascade gives the documents that the relationships in a document's own
// collection delete along with it.
func (n neighbourhood) cascade(live documentImage) []member {
	var next []member
	for _, attribute := range n.collections[live.Collection].Attributes {
		r := attribute.Relationship
		if r == nil || r.OnDelete != Cascade {
			continue
		}
		child := r.Side == childSide
		if (r.Type == OneToMany || r.Type == ManyToMany) && child || r.Type == ManyToOne && !child {
			continue
		}
		for _, id := range relatedIDs(live.Data[attribute.Key]) {
			next = append(next, member{r.Related, id})
		}
	}
	return next
}

// cascades reports whether the document that holds a one-way link goes when
// the one it leads to does.
func (n neighbourhood) cascades(link lostLink) bool {
	r := n.shape(link.Collection).attributes[link.Key].Relationship
	return r != nil && r.OnDelete == Cascade && r.Type == ManyToOne
}

// inbound finds the one-way links that lead to a document and that it does not
// show itself.
func (n neighbourhood) inbound(ctx context.Context, to member) ([]lostLink, error) {
	var links []lostLink
	for _, collection := range n.collections {
		for _, attribute := range collection.Attributes {
			r := attribute.Relationship
			if !readable(collection.ID, attribute) || r.TwoWay || r.Related != to.collection || r.Side == childSide {
				continue
			}
			from, err := n.holders(ctx, collection.ID, attribute, to.id)
			if err != nil {
				return nil, err
			}
			for _, id := range from {
				links = append(links, lostLink{
					Collection: collection.ID, ID: id, Key: attribute.Key, To: to.id, Many: many(r),
				})
			}
		}
	}
	slices.SortFunc(links, func(a, b lostLink) int {
		return slices.Compare([]string{a.Collection, a.ID, a.Key}, []string{b.Collection, b.ID, b.Key})
	})
	return links, nil
}

// holders gives the documents whose relationship leads to a document. The
// server can filter by relationships that have a column; the others are walked.
func (n neighbourhood) holders(ctx context.Context, collection string, attribute appwrite.Attribute, to string) ([]string, error) {
	options := appwrite.WalkOptions{Select: selection([]string{attribute.Key}, n.server)}
	if !many(attribute.Relationship) {
		options = appwrite.WalkOptions{Queries: []string{query.Equal(attribute.Key, to)}}
	}
	var ids []string
	for page, err := range n.client.Walk(ctx, n.database, collection, options) {
		if err != nil {
			return nil, err
		}
		for _, document := range page {
			if slices.Contains(relatedIDs(document.Data[attribute.Key]), to) {
				ids = append(ids, document.ID)
			}
		}
	}
	return ids, nil
}

package appwrite

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"time"
)

var errStub = errors.New("not built yet")

func (c *Client) ListDatabases(ctx context.Context) ([]Database, error) { return nil, errStub }

func (c *Client) FindDatabase(ctx context.Context, id string) (Database, error) { return Database{}, errStub }

func (c *Client) CreateDatabase(ctx context.Context, database Database) (Database, error) { return Database{}, errStub }

func (c *Client) UpdateDatabase(ctx context.Context, database Database) (Database, error) { return Database{}, errStub }

func (c *Client) DeleteDatabase(ctx context.Context, id string) error { return errStub }

func (c *Client) ListCollections(ctx context.Context, database string) ([]Collection, error) { return nil, errStub }

func (c *Client) FindCollection(ctx context.Context, database, id string) (Collection, error) { return Collection{}, errStub }

func (c *Client) CreateCollection(ctx context.Context, database string, collection Collection) (Collection, error) { return Collection{}, errStub }

func (c *Client) UpdateCollection(ctx context.Context, database string, collection Collection) (Collection, error) { return Collection{}, errStub }

func (c *Client) DeleteCollection(ctx context.Context, database, id string) error { return errStub }

func (c *Client) ListAttributes(ctx context.Context, database, collection string) ([]Attribute, error) { return nil, errStub }

func (c *Client) FindAttribute(ctx context.Context, database, collection, key string) (Attribute, error) { return Attribute{}, errStub }

func (c *Client) CreateAttribute(ctx context.Context, database, collection string, attribute Attribute) (Attribute, error) { return Attribute{}, errStub }

func (c *Client) UpdateAttribute(ctx context.Context, database, collection, key string, patch AttributePatch) (Attribute, error) { return Attribute{}, errStub }

func (c *Client) DeleteAttribute(ctx context.Context, database, collection, key string) error { return errStub }

func (c *Client) CreateRelationship(ctx context.Context, database, collection string, attribute Attribute) (Attribute, error) { return Attribute{}, errStub }

func (c *Client) UpdateRelationship(ctx context.Context, database, collection, key string, patch RelationshipPatch) (Attribute, error) { return Attribute{}, errStub }

func (c *Client) ListIndexes(ctx context.Context, database, collection string) ([]Index, error) { return nil, errStub }

func (c *Client) FindIndex(ctx context.Context, database, collection, key string) (Index, error) { return Index{}, errStub }

func (c *Client) CreateIndex(ctx context.Context, database, collection string, index Index) (Index, error) { return Index{}, errStub }

func (c *Client) DeleteIndex(ctx context.Context, database, collection, key string) error { return errStub }

func (c *Client) FindDocument(ctx context.Context, database, collection, id string, fields ...string) (Document, error) { return Document{}, errStub }

func (c *Client) ListDocuments(ctx context.Context, database, collection string, queries ...string) (Page, error) { return Page{}, errStub }

func (c *Client) CountDocuments(ctx context.Context, database, collection string, queries ...string) (int64, error) { return 0, errStub }

func (c *Client) CreateDocument(ctx context.Context, database, collection string, document Document) (Document, error) { return Document{}, errStub }

func (c *Client) UpdateDocument(ctx context.Context, database, collection, id string, patch DocumentPatch, guard Guard) (Document, error) { return Document{}, errStub }

func (c *Client) UpsertDocument(ctx context.Context, database, collection string, document Document) (Document, error) { return Document{}, errStub }

func (c *Client) DeleteDocument(ctx context.Context, database, collection, id string, guard Guard) error { return errStub }

func (c *Client) CreateDocuments(ctx context.Context, database, collection string, documents []Document) ([]Document, error) { return nil, errStub }

func (c *Client) UpdateDocuments(ctx context.Context, database, collection string, patch DocumentPatch, queries ...string) (int64, error) { return 0, errStub }

func (c *Client) UpsertDocuments(ctx context.Context, database, collection string, documents []Document) ([]Document, error) { return nil, errStub }

func (c *Client) DeleteDocuments(ctx context.Context, database, collection string, queries ...string) (int64, error) { return 0, errStub }

func (c *Client) Increment(ctx context.Context, database, collection, id, attribute string, by json.Number) error { return errStub }

func (c *Client) Decrement(ctx context.Context, database, collection, id, attribute string, by json.Number) error { return errStub }

func (c *Client) CreateTransaction(ctx context.Context, ttl time.Duration) (Transaction, error) { return Transaction{}, errStub }

func (c *Client) FindTransaction(ctx context.Context, id string) (Transaction, error) { return Transaction{}, errStub }

func (c *Client) StageOperations(ctx context.Context, id string, operations []Operation) (Transaction, error) { return Transaction{}, errStub }

func (c *Client) Commit(ctx context.Context, id string) (Transaction, error) { return Transaction{}, errStub }

func (c *Client) RollbackTransaction(ctx context.Context, id string) (Transaction, error) { return Transaction{}, errStub }

func (c *Client) DeleteTransaction(ctx context.Context, id string) error { return errStub }

func (c *Client) WaitAvailable(ctx context.Context, database string, awaited []Awaited) error { return errStub }

func (c *Client) WaitGone(ctx context.Context, database string, awaited []Awaited) error { return errStub }

func (c *Client) Version(ctx context.Context) (string, error) { return "", errStub }

func (c *Client) QueueSize(ctx context.Context) (int64, error) { return 0, errStub }

func (c *Client) Detect(ctx context.Context) (Server, error) { return Server{}, errStub }

func (c *Client) Backend(ctx context.Context) (string, error) { return "", errStub }

func (c *Client) Walk(ctx context.Context, database, collection string, opts WalkOptions) iter.Seq2[[]Document, error] {
	return func(yield func([]Document, error) bool) { yield(nil, errStub) }
}

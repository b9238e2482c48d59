package appwrite

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/appwrite/sdk-for-go/query"
)

// MaxOperations is how many operations a transaction holds.
const MaxOperations = 100

type wireTransaction struct {
	ID         string `json:"$id"`
	Status     string `json:"status"`
	Operations int64  `json:"operations"`
	ExpiresAt  string `json:"expiresAt"`
}

type wireTransactions struct {
	Transactions []wireTransaction `json:"transactions"`
}

// transactionPath is the path of the transactions, or below. It is ErrUnsupported on 1.7.
func (c *Client) transactionPath(ctx context.Context, below ...string) (scope, string, error) {
	s, err := c.scope(ctx, "", "")
	if err != nil {
		return scope{}, "", err
	}
	if !s.server.Capabilities.Transactions {
		return scope{}, "", unsupported("transactions")
	}
	at, err := s.at(append([]string{"transactions"}, below...)...)
	return s, at, err
}

func (c *Client) transaction(ctx context.Context, req request) (Transaction, error) {
	var wire wireTransaction
	err := c.do(ctx, req, &wire)
	return Transaction(wire), err
}

// CreateTransaction opens a transaction that expires after ttl: between one
// minute and one hour, 0 means five minutes.
func (c *Client) CreateTransaction(ctx context.Context, ttl time.Duration) (Transaction, error) {
	_, at, err := c.transactionPath(ctx)
	if err != nil {
		return Transaction{}, err
	}
	params := map[string]any{}
	if ttl != 0 {
		params["ttl"] = int(ttl / time.Second)
	}
	return c.transaction(ctx, request{method: http.MethodPost, path: at, params: params})
}

// FindTransaction gives a transaction. It is ErrNotFound when there is none. An
// expired one still says that it is pending.
func (c *Client) FindTransaction(ctx context.Context, id string) (Transaction, error) {
	_, at, err := c.transactionPath(ctx)
	if err != nil {
		return Transaction{}, err
	}
	var page wireTransactions
	if err := c.list(ctx, at, &page, query.Equal("$id", id), query.Limit(1)); err != nil {
		return Transaction{}, err
	}
	if len(page.Transactions) == 0 {
		return Transaction{}, absent("transaction", at)
	}
	return Transaction(page.Transactions[0]), nil
}

// StageOperations adds operations to a transaction; they take effect together
// when it is committed. The server checks little of them before that, so ids,
// permissions and shapes are checked here. Operations on several databases go
// in one request for each run of the same database, since a server would look
// up a collection's id in the wrong one otherwise; when a later request fails,
// the operations of the earlier ones stay staged.
func (c *Client) StageOperations(ctx context.Context, id string, operations []Operation) (Transaction, error) {
	s, at, err := c.transactionPath(ctx, id, "operations")
	if err != nil {
		return Transaction{}, err
	}
	if n := len(operations); n == 0 || n > MaxOperations {
		return Transaction{}, fmt.Errorf("%w: %d operations, between 1 and %d are accepted", ErrInvalid, n, MaxOperations)
	}
	items := make([]any, len(operations))
	for i, op := range operations {
		if items[i], err = c.staged(ctx, s, op); err != nil {
			return Transaction{}, fmt.Errorf("operation %d (%s): %w", i, op.Action, err)
		}
	}
	var last Transaction
	for first := 0; first < len(items); {
		next := first + 1
		for next < len(items) && operations[next].Database == operations[first].Database {
			next++
		}
		last, err = c.transaction(ctx, request{method: http.MethodPost, path: at, params: map[string]any{"operations": items[first:next]}})
		if err != nil {
			return Transaction{}, err
		}
		first = next
	}
	return last, nil
}

// staged gives an operation as the server takes it.
func (c *Client) staged(ctx context.Context, s scope, op Operation) (map[string]any, error) {
	if err := need(op.Database, op.Collection); err != nil {
		return nil, err
	}
	item := map[string]any{"databaseId": op.Database, s.collection + "Id": op.Collection, "action": string(op.Action)}
	switch op.Action {
	case ActionCreate, ActionUpdate, ActionUpsert, ActionDelete, ActionIncrement, ActionDecrement:
		if err := checkID(op.Document); err != nil { // "unique()" is not drawn here but stored
			return nil, err
		}
		item[s.document+"Id"] = op.Document
	case ActionBulkCreate, ActionBulkUpdate, ActionBulkUpsert, ActionBulkDelete:
	default:
		return nil, fmt.Errorf("%w: unknown action", ErrInvalid)
	}
	data, err := c.stagedData(ctx, s, op)
	if data != nil {
		item["data"] = data
	}
	return item, err
}

func (c *Client) stagedData(ctx context.Context, s scope, op Operation) (any, error) {
	switch op.Action {
	case ActionCreate, ActionUpdate, ActionUpsert:
		return c.stagedFields(ctx, op)
	case ActionIncrement, ActionDecrement:
		return s.stagedStep(op)
	case ActionBulkCreate, ActionBulkUpsert:
		return c.stagedDocuments(ctx, op)
	case ActionBulkUpdate:
		if len(op.Queries) == 0 {
			return nil, fmt.Errorf("%w: without queries it would act on every document", ErrUnsafe)
		}
		data, err := c.stagedFields(ctx, op)
		return map[string]any{"queries": op.Queries, "data": data}, err
	case ActionBulkDelete:
		if len(op.Queries) == 0 {
			return nil, fmt.Errorf("%w: without queries it would act on every document", ErrUnsafe)
		}
		return map[string]any{"queries": op.Queries}, nil
	default:
		return nil, nil
	}
}

// stagedFields gives the fields of one document. Texts that look like operators
// would be computed at commit, whatever the action.
func (c *Client) stagedFields(ctx context.Context, op Operation) (map[string]any, error) {
	if err := checkFields(op.Data); err != nil {
		return nil, err
	}
	if err := c.refuseOperators(ctx, op.Data); err != nil {
		return nil, err
	}
	data := make(map[string]any, len(op.Data)+2)
	maps.Copy(data, op.Data)
	if op.Permissions != nil {
		if err := checkPermissions(*op.Permissions); err != nil {
			return nil, err
		}
		data["$permissions"] = append([]string{}, *op.Permissions...)
	}
	if op.Action == ActionUpsert || op.Action == ActionCreate && len(data) == 0 {
		data["$id"] = op.Document
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: nothing to change", ErrInvalid)
	}
	return data, nil
}

// stagedStep gives an increment or decrement. The amount is an absolute one.
func (s scope) stagedStep(op Operation) (map[string]any, error) {
	if by, err := op.By.Float64(); err != nil || by <= 0 || op.Attribute == "" {
		return nil, fmt.Errorf("%w: cannot %s %q by %q", ErrInvalid, op.Action, op.Attribute, op.By)
	}
	data := map[string]any{s.attribute: op.Attribute, "value": op.By}
	for name, bound := range map[string]json.Number{"min": op.Min, "max": op.Max} {
		if bound != "" {
			data[name] = bound
		}
	}
	return data, nil
}

func (c *Client) stagedDocuments(ctx context.Context, op Operation) ([]any, error) {
	if len(op.Documents) == 0 {
		return nil, fmt.Errorf("%w: no documents", ErrInvalid)
	}
	items := make([]any, 0, len(op.Documents))
	for _, d := range op.Documents {
		if err := checkID(d.ID); err != nil {
			return nil, err
		}
		one := Operation{Action: ActionUpsert, Document: d.ID, Data: d.Data}
		if d.Permissions != nil {
			one.Permissions = &d.Permissions
		}
		item, err := c.stagedFields(ctx, one)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

// Commit applies a transaction's operations, all or none. It is ErrConflict,
// and the transaction has failed, when a document was written after its
// operation was staged or a unique value is taken. After an ambiguous error
// only the status "committed" says that it was applied.
func (c *Client) Commit(ctx context.Context, id string) (Transaction, error) {
	return c.finish(ctx, id, "commit")
}

// RollbackTransaction drops a transaction's operations. Its status is "failed" then.
func (c *Client) RollbackTransaction(ctx context.Context, id string) (Transaction, error) {
	return c.finish(ctx, id, "rollback")
}

func (c *Client) finish(ctx context.Context, id, how string) (Transaction, error) {
	_, at, err := c.transactionPath(ctx, id)
	if err != nil {
		return Transaction{}, err
	}
	return c.transaction(ctx, request{method: http.MethodPatch, path: at, params: map[string]any{how: true}})
}

// DeleteTransaction removes a transaction, an expired one too.
func (c *Client) DeleteTransaction(ctx context.Context, id string) error {
	_, at, err := c.transactionPath(ctx, id)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: http.MethodDelete, path: at}, nil)
}

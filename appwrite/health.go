package appwrite

import (
	"context"
	"math"
	"net/http"

	"github.com/appwrite/sdk-for-go/query"
)

// QueueSize says how many schema jobs wait for the server's worker.
func (c *Client) QueueSize(ctx context.Context) (int64, error) {
	var answer struct {
		Size int64 `json:"size"`
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/health/queue/databases", params: map[string]any{
		"threshold": math.MaxInt32, // a queue as long as the threshold is answered with an error
	}}, &answer)
	return answer.Size, err
}

// The backends, as far as they can be told apart from outside.
const (
	BackendMariaDB = "mariadb"
	BackendSQL     = "sql" // MariaDB, MySQL or PostgreSQL
	BackendMongoDB = "mongodb"
)

// Backend says what stores the project's data: one of the Backend constants, or
// "" where nothing tells, which is a 1.9 without any collection.
func (c *Client) Backend(ctx context.Context) (string, error) {
	server, err := c.server(ctx)
	if err != nil || server.Capabilities.Backend != "" {
		return server.Capabilities.Backend, err
	}
	databases, err := c.ListDatabases(ctx)
	if err != nil {
		return "", err
	}
	for _, database := range databases {
		found, err := c.collections(ctx, database.ID, query.Limit(1))
		if err != nil {
			return "", err
		}
		if len(found) == 0 {
			continue
		}
		if found[0].BytesMax > 0 {
			return BackendSQL, nil
		}
		return BackendMongoDB, nil
	}
	return "", nil
}

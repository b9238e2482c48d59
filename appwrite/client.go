package appwrite

import (
	"context"

	"github.com/appwrite/sdk-for-go/client"
)

// Config says where the project is and how to enter it.
type Config struct {
	Endpoint string // "https://cloud.appwrite.io/v1"
	Project  string // the project's id
	Key      string // the API key; never shown
}

// Client talks to one project. It is safe for concurrent use.
type Client struct{}

// Option changes a client while it is made.
type Option func(*Client) error

// New gives a client for the project that cfg names. It sends nothing.
func New(cfg Config, opts ...Option) (*Client, error) { return nil, errStub }

// FromSDK gives a client that uses the endpoint, headers and transport of an SDK client.
func FromSDK(sdk client.Client, opts ...Option) (*Client, error) { return nil, errStub }

// With gives a client like c, changed by opts. Both share connections and what
// has been found out about the server.
func (c *Client) With(opts ...Option) (*Client, error) { return nil, errStub }

// SDK gives an SDK client that is bound to ctx: cancelling ctx ends its
// requests, and the guard and read-only mode of c hold for them.
func (c *Client) SDK(ctx context.Context) client.Client { return client.Client{} }

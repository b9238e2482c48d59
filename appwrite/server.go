package appwrite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/appwrite/sdk-for-go/query"
)

// discovery is what clients derived from one another know of their server.
type discovery struct {
	turn   chan struct{} // holds one token: whoever takes it detects
	server atomic.Pointer[Server]
	// related remembers collections that have had relationships, on which bulk
	// writes are refused; see guard.go.
	related relatedSet
}

func newDiscovery() *discovery {
	d := &discovery{turn: make(chan struct{}, 1)}
	d.turn <- struct{}{}
	return d
}

// Detect finds out which server this is, once; every other call does so itself
// when it has to. It fails on releases before 1.7.
func (c *Client) Detect(ctx context.Context) (Server, error) {
	select {
	case <-ctx.Done():
		return Server{}, ctx.Err()
	case <-c.found.turn:
	}
	defer func() { c.found.turn <- struct{}{} }()
	if known := c.found.server.Load(); known != nil {
		return c.seenAs(*known), nil
	}
	found, err := c.identify(ctx)
	if err != nil {
		return Server{}, fmt.Errorf("find out the server's version: %w", err)
	}
	c.found.server.Store(&found)
	return c.seenAs(found), nil
}

// seenAs gives the server as this client uses it.
func (c *Client) seenAs(server Server) Server {
	if c.dialect != "" {
		server.Dialect = c.dialect
	}
	return server
}

// server gives what Detect found, detecting first where that is needed.
func (c *Client) server(ctx context.Context) (Server, error) {
	if known := c.found.server.Load(); known != nil {
		return c.seenAs(*known), nil
	}
	return c.Detect(ctx)
}

// responseFormat gives the format to ask for: the server's own, so that its
// answers come unconverted. "" is none, before it is known.
func (c *Client) responseFormat() string {
	if c.format != "" {
		return c.format
	}
	if known := c.found.server.Load(); known != nil {
		return known.Version
	}
	return ""
}

var errHidden = errors.New("the server does not tell its version")

// identify asks for the version and, where that is hidden, which routes there are.
func (c *Client) identify(ctx context.Context) (Server, error) {
	version, err := c.Version(ctx)
	if err == nil {
		return serverOf(version)
	}
	if !errors.Is(err, errHidden) {
		return Server{}, err
	}
	oldest := "1.8.0"
	err = c.do(ctx, request{method: http.MethodGet, path: "/tablesdb", params: map[string]any{"queries": []string{query.Limit(1)}}}, nil)
	if errors.Is(err, ErrRouteNotFound) {
		oldest, err = "1.7.0", nil
	}
	if err != nil {
		return Server{}, err
	}
	found, err := serverOf(oldest)
	found.Version = ""
	return found, err
}

// Version asks the server for its release, such as "1.9.6". The health route
// answers only without a key. Where it does not, the answer to a query that no
// server accepts tells: every error does.
func (c *Client) Version(ctx context.Context) (string, error) {
	var answer struct {
		Version string `json:"version"`
	}
	err := c.do(ctx, request{method: http.MethodGet, path: "/health/version", keyless: true}, &answer)
	if err == nil && answer.Version != "" {
		return answer.Version, nil
	}
	if version := versionIn(err); version != "" && !errors.Is(err, ErrProjectNotFound) {
		return version, nil
	}
	if err != nil && !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrRouteNotFound) {
		return "", err
	}
	err = c.do(ctx, request{method: http.MethodGet, path: "/databases", params: map[string]any{"queries": []string{"version"}}}, nil)
	if version := versionIn(err); version != "" {
		return version, nil
	}
	if err != nil {
		return "", err
	}
	return "", errHidden
}

func versionIn(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.version
	}
	return ""
}

// release is a version as numbers.
type release [3]int

// before says whether a release is older than 1.minor.patch.
func (r release) before(minor, patch int) bool {
	return slices.Compare(r[:], []int{1, minor, patch}) < 0
}

// parseVersion reads "1.9.6", "1.9" and "1.9.6-RC2" alike.
func parseVersion(version string) (release, error) {
	var r release
	core, _, _ := strings.Cut(version, "-")
	parts := strings.Split(core, ".")
	if len(parts) > len(r) {
		return release{}, fmt.Errorf("%q is not a version", version)
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return release{}, fmt.Errorf("%q is not a version", version)
		}
		r[i] = n
	}
	return r, nil
}

// serverOf gives what a release can do.
func serverOf(version string) (Server, error) {
	r, err := parseVersion(version)
	if err != nil {
		return Server{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	if r.before(7, 0) {
		return Server{}, fmt.Errorf("%w: Appwrite %s is older than 1.7", ErrUnsupported, version)
	}
	s := Server{Version: version, Dialect: DialectTablesDB, Capabilities: Capabilities{
		Transactions: !r.before(8, 0),
		InlineSchema: !r.before(9, 0),
		Bulk:         true,
		Operators:    !r.before(8, 1),
		Timestamps:   !r.before(8, 0),
		Increment:    !r.before(8, 0),
		CAS:          CASLocked,
		Sequence:     !r.before(8, 0),
		BigInt:       !r.before(9, 5),
		TextTypes:    !r.before(9, 0),
		Spatial:      !r.before(8, 0),
		ArrayIndexes: r.before(9, 0),
		FalseUnique:  !r.before(9, 0),
		BulkDefaults: r.before(8, 0),
	}}
	if r.before(9, 0) {
		s.Capabilities.Backend = BackendMariaDB
	}
	if r.before(9, 6) {
		s.Capabilities.CAS = CASNarrow
	}
	if r.before(8, 0) {
		s.Dialect, s.Capabilities.CAS = DialectDatabases, CASNone
	}
	return s, nil
}

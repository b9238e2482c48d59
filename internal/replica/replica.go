// Package replica rehearses on an embedded server what concerns a real project:
// the schema that migrations add up to, and a copy of a live project on which
// migrations can be tried. It only ever reads from the real one, through a client
// that fails on every write.
package replica

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/appwritetest"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/journal/memory"
	"github.com/backstep-dev/backstep/steps"
)

// Profile is the kind of server that a replica behaves as.
type Profile struct {
	Version string // of Appwrite, such as "1.9.6"
	// Exact: ids and unique values are compared byte by byte, as PostgreSQL and
	// MongoDB do; else without regard to case and accents, as MariaDB does.
	Exact bool
	// Notices say where the embedded server is not the real one.
	Notices []string
}

// The versions that the embedded server can behave as.
const (
	oldest = "1.7.0"
	newest = "1.9.6"
)

// ProfileFor is the profile of a version on MariaDB. A version beyond those that
// the embedded server knows becomes the nearest, with a notice.
func ProfileFor(version string) (Profile, error) {
	parts, err := numbers(version)
	if err != nil {
		return Profile{}, err
	}
	for _, bound := range []struct {
		version string
		sign    int
	}{{oldest, -1}, {newest, 1}} {
		limit, err := numbers(bound.version)
		if err != nil {
			return Profile{}, err
		}
		if slices.Compare(parts, limit)*bound.sign > 0 {
			return Profile{Version: bound.version, Notices: []string{
				fmt.Sprintf("the embedded server does not know Appwrite %s: it behaves as %s", version, bound.version),
			}}, nil
		}
	}
	return Profile{Version: version}, nil
}

func numbers(version string) ([]int, error) {
	var major, minor, patch int
	if n, err := fmt.Sscanf(version, "%d.%d.%d", &major, &minor, &patch); n != 3 || err != nil {
		return nil, fmt.Errorf("version %q is not three numbers such as 1.9.6", version)
	}
	return []int{major, minor, patch}, nil
}

// ProfileOf finds out how the server behaves that a client talks to. SQL backends
// cannot be told apart from outside on 1.9: MariaDB, which is the strictest in what
// it takes for the same, stands for all of them.
func ProfileOf(ctx context.Context, client *appwrite.Client) (Profile, error) {
	server, err := client.Detect(ctx)
	if err != nil {
		return Profile{}, err
	}
	version := server.Version
	if version == "" {
		version = newest
	}
	p, err := ProfileFor(version)
	if err != nil {
		return Profile{}, err
	}
	if server.Version == "" {
		p.Notices = append(p.Notices, "the server hides its version: the embedded one behaves as "+newest)
	}
	backend, err := client.Backend(ctx)
	if err != nil {
		return Profile{}, err
	}
	p.Exact = backend == appwrite.BackendMongoDB
	return p, nil
}

// Replica is an embedded server of its own, and a client of it.
type Replica struct {
	Client   *appwrite.Client
	server   *appwritetest.Server
	requests atomic.Int64
	profile  Profile
}

// Start starts an empty replica, which the caller closes. ctx bounds the start.
func Start(ctx context.Context, profile Profile) (*Replica, error) {
	comparison := appwritetest.MariaDB
	if profile.Exact {
		comparison = appwritetest.Exact
	}
	server, err := appwritetest.Start(ctx, appwritetest.Version(profile.Version), appwritetest.Backend(comparison), appwritetest.Project("replica"))
	if err != nil {
		return nil, fmt.Errorf("start the embedded server: %w", err)
	}
	r := &Replica{server: server, profile: profile}
	// A fault that looks at every request and hits none.
	server.Inject(appwritetest.Fault{
		Match: appwritetest.Match{Where: func(*http.Request, []byte) bool {
			r.requests.Add(1)
			return false
		}},
		Action: appwritetest.RefuseBefore(),
	})
	r.Client, err = appwrite.New(appwrite.Config{Endpoint: server.Endpoint(), Project: server.Project(), Key: server.Key()})
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return r, nil
}

// Close ends the server and forgets everything it held.
func (r *Replica) Close() error {
	r.Client.Close()
	if err := r.server.Close(); err != nil {
		return fmt.Errorf("close the embedded server: %w", err)
	}
	return nil
}

// Requests is how many requests the replica has been sent.
func (r *Replica) Requests() int64 { return r.requests.Load() }

// engineOn makes an engine that works on the replica and forgets its journal.
func (r *Replica) engineOn(codec engine.Codec, opts ...engine.Option) (*engine.Engine, *memory.Store, error) {
	store := memory.New()
	opts = append([]engine.Option{
		engine.WithClassifier(steps.Classify), engine.WithWatch(appwrite.Watch), engine.WithQuarantine(0),
	}, opts...)
	e, err := engine.New(store, codec, opts...)
	return e, store, err
}

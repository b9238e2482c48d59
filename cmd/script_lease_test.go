package cmd_test

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/journal/remote"
)

// holdLease has somebody else take the lease in the newest server of a script:
// lease hold TTL (and renew it until the script ends), or lease vanish TTL (and
// never be heard of again).
func holdLease(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 || args[0] != "hold" && args[0] != "vanish" {
		ts.Fatalf("usage: lease hold|vanish TTL")
	}
	ttl, err := time.ParseDuration(args[1])
	ts.Check(err)
	client, err := appwrite.New(appwrite.Config{
		Endpoint: ts.Getenv("APPWRITE_ENDPOINT"), Project: ts.Getenv("APPWRITE_PROJECT_ID"), Key: ts.Getenv("APPWRITE_API_KEY"),
	})
	ts.Check(err)
	ctx := context.Background()
	locks := remote.NewLocks(client, ts.Getenv("MIGRATIONS_DATABASE_ID"))
	ts.Check(locks.Prepare(ctx))
	holder := lease.Holder{Host: "elsewhere", Actor: "anna", Environment: "dev", Command: "up", Run: "run-7"}
	if args[0] == "vanish" {
		newest, _, err := locks.Newest(ctx)
		ts.Check(err)
		ts.Check(locks.Create(ctx, lease.Lock{Fence: newest.Fence + 1, Token: "ghost", TTL: ttl, Holder: holder}))
		return
	}
	held, err := lease.Acquire(ctx, locks, holder, lease.WithTTL(ttl))
	ts.Check(err)
	ts.Defer(func() { _ = held.Release(ctx) })
}

// commandWorker stops and starts the worker of the newest server of a script:
// worker pause|resume.
func commandWorker(ts *testscript.TestScript, _ bool, args []string) {
	server := stageOf(ts).server
	if server == nil || server.Embedded == nil || len(args) != 1 {
		ts.Fatalf("usage: worker pause|resume, on an embedded server")
	}
	switch args[0] {
	case "pause":
		server.Embedded.Worker().Pause()
	case "resume":
		server.Embedded.Worker().Resume()
	default:
		ts.Fatalf("usage: worker pause|resume")
	}
}

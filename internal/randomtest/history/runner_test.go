package history_test

import (
	"context"
	"errors"
	"net/http"
	"time"

	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/internal/outage"
	"github.com/backstep-dev/backstep/internal/randomtest"
	"github.com/backstep-dev/backstep/journal/remote"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/steps"
)

// quarantine is how long engines wait for requests on their way.
const quarantine = time.Minute

// fate is what befalls a process.
type fate struct {
	trouble *randomtest.Plight // nil is none
	pause   *pause             // nil is none
}

// process is a runner that has the lease, or once had it.
type process struct {
	w       *world
	machine *machine
	fuse    *outage.Fuse
	wires   []*outage.Wire // that what it changes goes through
	lease   *lease.Lease
	engine  *engine.Engine
	runner  *migrations.Runner
}

// start starts one on a machine of its own and gets it the lease, which takes
// as long as it takes for another's to be dead.
func (w *world) start(rt *rapid.T, host string, f fate) *process {
	rt.Helper()
	ctx := context.Background()
	p := &process{w: w, machine: newMachine(), fuse: outage.NewFuse()}
	locks := remote.NewLocks(w.client(rt, outage.NewWire(w.base, p.fuse, nil)), w.reserved)
	require(rt, locks.Prepare(ctx))
	var err error
	p.lease, err = lease.Acquire(ctx, locks, lease.Holder{Host: host}, lease.WithClock(p.machine), lease.WithTTL(ttl), lease.WithLogger(w.logger))
	require(rt, err)
	rt.Cleanup(func() { _ = p.lease.Release(context.Background()) })

	known := false // nothing goes wrong until then
	wire := func() *outage.Wire {
		made := outage.NewWire(slow{w.base, f.pause}, p.fuse, func(n int, req *http.Request) outage.Fault {
			if !known {
				return outage.None
			}
			return f.trouble.Request(n, req)
		})
		p.wires, w.wires = append(p.wires, made), append(w.wires, made)
		return made
	}
	gate := func(ctx context.Context) error {
		f.pause.pass(false)
		return p.lease.Guard(ctx)
	}
	store, err := remote.Open(ctx, w.client(rt, wire()), w.reserved, remote.WithClock(outage.NewClock(time.Hour, nil)))
	require(rt, err)
	store, err = store.Guarded(gate)
	require(rt, err)
	client, err := w.client(rt, wire()).With(appwrite.WithGuard(gate))
	require(rt, err)
	_, err = client.Detect(ctx)
	require(rt, err)
	known = true
	codec, err := migrations.NewCodec(client, nil, nil)
	require(rt, err)
	journal := f.trouble.Journal(store, p.fuse)
	opts := []engine.Option{
		engine.WithReceipts(store.Receipts()),
		engine.WithClassifier(steps.Classify),
		engine.WithWatch(appwrite.Watch),
		engine.WithLogger(w.logger),
		engine.WithClock(outage.NewClock(quarantine, w.release)),
		engine.WithQuarantine(quarantine),
		engine.WithGuard(gate),
		engine.WithAbort(p.fuse.Abort()),
	}
	if w.fills { // what a run leaves is not always what it found, see randomtest.Model
		opts = append(opts, engine.WithConflict(engine.ConflictOverwrite))
	}
	p.engine, err = engine.New(journal, codec, opts...)
	require(rt, err)
	p.runner, err = migrations.NewRunner(w.set, p.engine, journal, client, codec,
		migrations.WithHistory(migrations.History{Database: w.reserved}))
	require(rt, err)
	return p
}

// sent counts what the process has sent that could change anything.
func (p *process) sent() int {
	n := 0
	for _, wire := range p.wires {
		n += wire.Sent()
	}
	return n
}

// quit ends the process, whose lease others need not wait for unless it was cut off.
func (p *process) quit() { _ = p.lease.Release(context.Background()) }

// takeUp ends the runs that stand in the way, forwards or back.
func (p *process) takeUp(ctx context.Context, back bool) error {
	for {
		status, err := p.runner.Status(ctx)
		if err != nil || len(status.Unfinished) == 0 {
			return err
		}
		u := status.Unfinished[0]
		switch {
		case u.Settled:
			err = p.runner.Settle(ctx, u.Run)
		case back:
			_, err = p.runner.Rollback(ctx, u.Run)
		default:
			_, err = p.runner.Resume(ctx, u.Run)
		}
		if err != nil && !errors.Is(err, engine.ErrRolledBack) {
			return err
		}
	}
}

// command is what a runner is told to do.
type command string

const (
	up   command = "up"
	down command = "down"
	redo command = "redo"
)

func (p *process) do(ctx context.Context, c command) error {
	var err error
	switch c {
	case up:
		_, err = p.runner.Up(ctx, "")
	case down:
		_, err = p.runner.Down(ctx, migrations.Back{Count: 1})
	case redo:
		_, err = p.runner.Redo(ctx)
	}
	return err
}

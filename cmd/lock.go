package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine/lease"
	"github.com/backstep-dev/backstep/journal/remote"
)

// lockResult is what lock tells of the lease.
type lockResult struct {
	Held        bool   `json:"held"`
	Fence       int64  `json:"fence,omitempty"` // grows with every holder
	Host        string `json:"host,omitempty"`
	Actor       string `json:"actor,omitempty"`
	Environment string `json:"environment,omitempty"`
	Command     string `json:"command,omitempty"`
	Run         string `json:"run,omitempty"`
	Since       string `json:"since,omitempty"`   // the server's time, RFC 3339
	Renewed     string `json:"renewed,omitempty"` // the server's time, RFC 3339
	AgeSeconds  int64  `json:"age_seconds"`       // since it was renewed, by this machine's clock
	TTLSeconds  int64  `json:"ttl_seconds,omitempty"`
	Ended       bool   `json:"ended,omitempty"` // its process ran on this machine and has ended
}

func newLock(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "lock",
		Short:   "Look at the lease that keeps runners apart, or release it",
		GroupID: "look",
		Long: `At most one runner changes a project at a time: the one that holds the lease. It
renews it while it works. A runner that vanished is taken over by the next one,
which waits for one TTL without a sign of life; nobody has to release anything.`,
		Example: "  backstep lock status\n  backstep lock release --yes",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLockStatus(a), newLockRelease(a))
	return c
}

func newLockStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show who holds the lease, since when and for which run",
		Example: "  backstep lock status\n  backstep lock status --env production --format json",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, _, err := a.openLocks(appwrite.WithReadOnly())
			if err != nil {
				return err
			}
			lock, found, err := s.newestLock(c.Context())
			if err != nil {
				return err
			}
			result := lockResultOf(lock, found, time.Now())
			return a.result("lock-status", result, func(w io.Writer) { a.printLock(w, result) })
		},
	}
}

// openLocks prepares a look at the locks, which takes no lease.
func (a *app) openLocks(opts ...appwrite.Option) (*session, *remote.Locks, error) {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return nil, nil, usageError(err, "")
	}
	s := &session{app: a, cfg: cfg}
	if s.target, s.client, err = a.client(opts...); err != nil {
		return nil, nil, err
	}
	return s, remote.NewLocks(s.client, cfg.History.Database), nil
}

func (s *session) newestLock(ctx context.Context) (lease.Lock, bool, error) {
	if _, err := s.client.Detect(ctx); err != nil {
		return lease.Lock{}, false, s.explain(err)
	}
	lock, found, err := remote.NewLocks(s.client, s.cfg.History.Database).Newest(ctx)
	if err != nil {
		return lease.Lock{}, false, s.explain(err)
	}
	return lock, found, nil
}

func lockResultOf(lock lease.Lock, found bool, now time.Time) lockResult {
	if !found || lock.Released {
		return lockResult{Fence: lock.Fence}
	}
	h := lock.Holder
	return lockResult{
		Held: true, Fence: lock.Fence, Host: h.Host, Actor: h.Actor, Environment: h.Environment, Command: h.Command, Run: h.Run,
		Since: lock.CreatedAt.UTC().Format(time.RFC3339), Renewed: lock.RenewedAt.UTC().Format(time.RFC3339),
		AgeSeconds: int64(lease.Age(lock, now).Seconds()), TTLSeconds: int64(lock.TTL.Seconds()), Ended: ended(lock),
	}
}

func (a *app) printLock(w io.Writer, r lockResult) {
	if !r.Held {
		fmt.Fprintln(w, "Nobody holds the lease.")
		return
	}
	holder := lease.Holder{Host: r.Host, Actor: r.Actor, Environment: r.Environment, Command: r.Command, Run: r.Run}
	fmt.Fprintf(w, "Held by %s\n", holder)
	fmt.Fprintf(w, "  lock      %d\n  since     %s\n  renewed   %s, about %s ago\n", r.Fence, r.Since, r.Renewed,
		(time.Duration(r.AgeSeconds) * time.Second).String())
	ttl := time.Duration(r.TTLSeconds) * time.Second
	switch {
	case r.Ended:
		fmt.Fprintln(w, "Its process, on this machine, has ended: the next command takes it over at once.")
	case r.AgeSeconds > r.TTLSeconds:
		fmt.Fprintf(w, "It shows no sign of life: the next command watches it for %s and takes it over.\n", ttl)
	default:
		fmt.Fprintf(w, "It is alive, or was just now. Without a sign of life for %s it is taken over.\n", ttl)
	}
}

func newLockRelease(a *app) *cobra.Command {
	var yes bool
	var confirm string
	c := &cobra.Command{
		Use:     "release",
		Short:   "Release the lease of a runner that is certainly dead",
		GroupID: "",
		Long: `Lets the next runner begin without watching the lock for a sign of life. It does
not stop the runner that holds the lease: if that one is alive, it goes on until
its next renewal, at most a third of its TTL, and two runners may change the
project at once. It is needed only where waiting for one TTL is too long.`,
		Example: "  backstep lock release\n  backstep lock release --yes --env production --confirm production",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runLockRelease(c.Context(), a, yes, confirm) },
	}
	c.Flags().BoolVar(&yes, "yes", false, "the runner is dead; do not ask")
	addConfirm(c.Flags(), &confirm)
	return c
}

func runLockRelease(ctx context.Context, a *app, yes bool, confirm string) error {
	s, locks, err := a.openLocks()
	if err != nil {
		return err
	}
	lock, found, err := s.newestLock(ctx)
	if err != nil {
		return err
	}
	result := lockResultOf(lock, found, time.Now())
	if !result.Held {
		return a.result("lock-release", result, func(w io.Writer) { fmt.Fprintln(w, "Nothing to release: nobody holds the lease.") })
	}
	if err := s.confirm(confirm); err != nil {
		return err
	}
	if !yes && !a.mayAsk() {
		return &ExitError{
			Code: ExitRefused, Err: fmt.Errorf("the lease is held by %s; if that runner lives, two may change the project at once; nothing was changed", lock.Holder),
			Next: a.name + " lock release --yes, once it is certainly dead",
		}
	}
	if !yes {
		a.printLock(a.streams.Err, result)
		typed, err := a.typed("If this runner lives, two may change the project at once. Type dead if it is certainly dead:")
		if err != nil {
			return err
		}
		if typed != "dead" {
			return &ExitError{Code: ExitRefused, Err: errors.New("not confirmed; nothing was changed")}
		}
	}
	if err := locks.Release(ctx, lock.Fence); err != nil {
		return s.explain(err)
	}
	result.Held = false
	return a.result("lock-release", result, func(w io.Writer) {
		fmt.Fprintf(w, "Lock %d of %s is released. If it is alive after all, it stops at its next renewal.\n", lock.Fence, lock.Holder)
	})
}

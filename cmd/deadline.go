package cmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// errDeadline is the reason for stopping that --deadline gives.
var errDeadline = errors.New("the deadline is near")

// limit has the command stop within d: at a safe point as soon as one more
// request could last longer than that, and at once when the time is over.
func (s *session) limit(c *cobra.Command, d time.Duration) error {
	if d < time.Second {
		return usageError(fmt.Errorf("--deadline is %s; it is at least 1s", d), "")
	}
	now := time.Now()
	s.stopAt = now.Add(max(d-s.cfg.Timeouts.Attempt, d/2))
	ctx, cancel := context.WithDeadlineCause(c.Context(), s.stopAt, leaving{errDeadline})
	c.SetContext(ctx)
	asked, abort, ended := s.abort, make(chan struct{}), make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { abortAt(time.Until(now.Add(d)), asked, ended, abort) })
	s.abort = abort
	s.ended = append(s.ended, func() {
		close(ended)
		watcher.Wait()
		cancel()
	})
	return nil
}

// abortAt closes abort when asked to, or when the time is over.
func abortAt(after time.Duration, asked, ended <-chan struct{}, abort chan<- struct{}) {
	over := time.NewTimer(after)
	defer over.Stop()
	select {
	case <-asked:
	case <-over.C:
	case <-ended:
		return
	}
	close(abort)
}

// due tells that --deadline has ended what was going on.
func (s *session) due() bool { return !s.stopAt.IsZero() && !time.Now().Before(s.stopAt) }

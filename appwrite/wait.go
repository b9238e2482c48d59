package appwrite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/appwrite/sdk-for-go/query"
)

// DefaultWait is how long waiting goes on without seeing anything change. The
// server's worker never retries, so what stands still for longer was lost.
const DefaultWait = 5 * time.Minute

// How often the server is asked. An idle server needs 30 to 70 ms for an
// attribute; whatever takes longer is asked for less and less often.
const (
	firstPoll  = 10 * time.Millisecond
	longPoll   = time.Second
	pollGrowth = 1.5
	// crossCheck is after how many polls without change the embedded lists are
	// checked against the list of the attribute or index itself: they were seen
	// to stay behind.
	crossCheck = 8
	// stuckGrace is how long something that was stuck when waiting began may
	// stay so: a new removal shows no other status while it is queued.
	stuckGrace = 5 * time.Second
)

// ErrStandstill says that nothing of what was waited for has changed for as
// long as the client waits.
var ErrStandstill = errors.New("nothing changed while waiting")

// WaitAvailable waits until everything awaited is available. One request looks
// at all of it. It fails with a *StatusError as soon as something has failed,
// is stuck, is being deleted or is not there.
func (c *Client) WaitAvailable(ctx context.Context, database string, awaited []Awaited) error {
	return c.wait(ctx, database, awaited, func(seen status) verdict {
		switch seen.text {
		case StatusAvailable:
			return reached
		case StatusProcessing:
			return pending
		default:
			return lost
		}
	})
}

// WaitGone waits until nothing awaited exists. It fails with a *StatusError as
// soon as a removal has got stuck. Where a collection is gone, all of it is.
func (c *Client) WaitGone(ctx context.Context, database string, awaited []Awaited) error {
	return c.wait(ctx, database, awaited, func(seen status) verdict {
		switch {
		case seen.text == "":
			return reached
		case seen.text == StatusStuck && (seen.changed || seen.age >= stuckGrace):
			return lost
		default:
			return pending
		}
	})
}

// status is what was seen of one awaited thing.
type status struct {
	text    string // "" is not there
	detail  string
	changed bool          // it was seen in another status before
	age     time.Duration // for how long it has been in this one
}

type verdict int

const (
	pending verdict = iota
	reached
	lost
)

// wait polls until judge has reached everything, lost something, or nothing
// has changed for too long.
func (c *Client) wait(ctx context.Context, database string, awaited []Awaited, judge func(status) verdict) error {
	w := waiting{client: c, database: database, judge: judge, left: slices.Clone(awaited), seen: map[Awaited]sighting{}}
	w.moved = c.clock.Now()
	interval := firstPoll
	for idle := 0; ; idle++ {
		progress, err := w.look(ctx, idle > 0 && idle%crossCheck == 0)
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			return w.give(cause(ctx, ended))
		}
		if err != nil || len(w.left) == 0 {
			return err
		}
		now := c.clock.Now()
		if progress {
			w.moved, idle, interval = now, 0, max(firstPoll, interval/2)
		}
		if now.Sub(w.moved) >= c.waitFor {
			return w.give(fmt.Errorf("%w for %v", ErrStandstill, c.waitFor))
		}
		fired, stop := c.clock.After(interval)
		select {
		case <-ctx.Done():
			stop()
			return w.give(cause(ctx, ctx.Err()))
		case <-fired:
		}
		interval = min(longPoll, time.Duration(float64(interval)*pollGrowth))
	}
}

// waiting is what is still being waited for.
type waiting struct {
	client   *Client
	database string
	judge    func(status) verdict
	left     []Awaited
	seen     map[Awaited]sighting
	moved    time.Time // when something last changed
}

type sighting struct {
	text    string
	since   time.Time
	changed bool
}

// give makes the error for waiting that is given up.
func (w *waiting) give(reason error) error {
	first := w.left[0]
	return &StatusError{
		Database: w.database, Ref: first, Status: w.seen[first].text,
		Detail: fmt.Sprintf("%d still awaited", len(w.left)), Err: reason,
	}
}

// look asks once for everything left, and says whether anything has changed.
// With careful, every answer that is not what is waited for is checked against
// the thing's own list; so is one that would end the wait in failure.
func (w *waiting) look(ctx context.Context, careful bool) (progress bool, err error) {
	collections, err := w.fetch(ctx)
	if err != nil {
		return false, err
	}
	now := w.client.clock.Now()
	var left []Awaited
	for _, ref := range w.left {
		found := w.aged(ref, statusIn(collections[ref.Collection], ref), now)
		if decision := w.judge(found); decision == lost || decision == pending && careful {
			own, err := w.own(ctx, ref)
			if err != nil {
				return false, err
			}
			found = w.aged(ref, own, now)
		}
		progress = w.note(ref, found, now) || progress
		switch w.judge(found) {
		case lost:
			return progress, w.lost(ref, found)
		case pending:
			left = append(left, ref)
		case reached:
			progress = true
		}
	}
	w.left = left
	return progress, nil
}

// lost makes the error for a status that will not change any more.
func (w *waiting) lost(ref Awaited, found status) error {
	e := &StatusError{Database: w.database, Ref: ref, Status: found.text, Detail: found.detail}
	if found.text == "" {
		e.Err = ErrNotFound
	}
	return e
}

// aged completes a status by what was seen before.
func (w *waiting) aged(ref Awaited, found status, now time.Time) status {
	last, known := w.seen[ref]
	switch {
	case !known:
	case last.text == found.text:
		found.changed, found.age = last.changed, now.Sub(last.since)
	default:
		found.changed = true
	}
	return found
}

// note remembers a status, and says whether it differs from the one before.
func (w *waiting) note(ref Awaited, found status, now time.Time) (moved bool) {
	last, known := w.seen[ref]
	if known && last.text == found.text {
		return false
	}
	w.seen[ref] = sighting{text: found.text, since: now, changed: known}
	return known
}

// fetch lists the collections of everything left.
func (w *waiting) fetch(ctx context.Context) (map[string]Collection, error) {
	var ids []string
	for _, ref := range w.left {
		if !slices.Contains(ids, ref.Collection) {
			ids = append(ids, ref.Collection)
		}
	}
	out := make(map[string]Collection, len(ids))
	for _, part := range anyOf("$id", ids) {
		page, err := w.client.collections(ctx, w.database, part, query.Limit(MaxBatch))
		if errors.Is(err, ErrNotFound) {
			return nil, nil // the database is gone, and everything in it
		}
		if err != nil {
			return nil, err
		}
		for _, collection := range page {
			out[collection.ID] = collection
		}
	}
	return out, nil
}

// own asks the list of the attribute or index itself.
func (w *waiting) own(ctx context.Context, ref Awaited) (status, error) {
	var found status
	var err error
	if ref.Index != "" {
		var index Index
		index, err = w.client.FindIndex(ctx, w.database, ref.Collection, ref.Index)
		found = status{text: index.Status, detail: index.Error}
	} else {
		var attribute Attribute
		attribute, err = w.client.FindAttribute(ctx, w.database, ref.Collection, ref.Attribute)
		found = status{text: attribute.Status, detail: attribute.Error}
	}
	if errors.Is(err, ErrNotFound) {
		return status{}, nil
	}
	return found, err
}

func statusIn(collection Collection, ref Awaited) status {
	if ref.Index != "" {
		for _, index := range collection.Indexes {
			if index.Key == ref.Index {
				return status{text: index.Status, detail: index.Error}
			}
		}
		return status{}
	}
	for _, attribute := range collection.Attributes {
		if attribute.Key == ref.Attribute {
			return status{text: attribute.Status, detail: attribute.Error}
		}
	}
	return status{}
}

package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/backstep-dev/backstep/engine"
)

// progress tells on stderr what a run does: one line for each operation that
// has ended, and on a terminal a bar below them that moves.
type progress struct {
	out   io.Writer
	style paint
	// worthTelling is how long a wait must be to get a line of its own.
	worthTelling time.Duration

	mu      sync.Mutex
	bars    *mpb.Progress // nil where nothing may be redrawn
	whole   *mpb.Bar
	long    *mpb.Bar
	longFor string
	now     atomic.Value // string; the bar's own goroutine reads it
	started map[string]time.Time
	places  places
	history bool // tell the history's own operations too
}

func (a *app) newProgress() *progress {
	p := &progress{
		out: a.streams.Err, style: a.paint(), worthTelling: time.Second,
		started: map[string]time.Time{}, history: a.flags.verbose,
	}
	if a.streams.Terminal && !a.redact.Active() { // bars write to the terminal itself
		p.bars = mpb.New(mpb.WithOutput(a.streams.Err), mpb.WithWidth(40))
		p.out = p.bars
	}
	return p
}

// close takes the bars away and waits until they are.
func (p *progress) close() {
	p.mu.Lock()
	p.dropLong()
	p.dropWhole()
	bars := p.bars
	p.mu.Unlock()
	if bars != nil {
		bars.Wait()
	}
}

// Observe prints what is worth a line.
func (p *progress) Observe(e engine.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case engine.EventRunStarted, engine.EventRunResumed:
		clear(p.started)
		p.places = placesOf(e.Kinds)
		p.startWhole(p.places.of(e.Done))
	case engine.EventRunFinished:
		p.dropLong()
		p.dropWhole()
	case engine.EventOperation:
		p.operation(e)
	case engine.EventAttempt:
		if e.Class != engine.ClassPermanent { // the operation's own end tells those
			p.line("  %s attempt %d of %s %s failed (%s): %v", p.style.warn("retry"), e.Attempt, e.Step, e.Target, e.Class, e.Err)
		}
	case engine.EventWait:
		if e.Wait >= p.worthTelling {
			p.line("  %s %s", p.style.dim("wait"), waitInWords(e))
		}
	case engine.EventProgress:
		p.moveLong(e)
	case engine.EventConflict:
		p.line("  %s %s: %s (policy: %s)", p.style.warn("conflict"), e.Target, e.Detail, e.Policy)
	case engine.EventUndo:
		p.line("%s", p.style.bad("undoing what was done, in reverse order"))
	case engine.EventStop:
		p.line("%s", e.Detail)
	case engine.EventProof: // told with the result
	}
}

func (p *progress) operation(e engine.Event) {
	p.now.Store(e.Step + " " + e.Target.String())
	switch e.Phase {
	case engine.DoingCapture, engine.DoingIntent, engine.DoingProbe, engine.DoingApply,
		engine.DoingSettle, engine.DoingRecord, engine.DoingUndo, engine.DoingProof:
		if _, known := p.started[e.Operation]; !known {
			p.started[e.Operation] = e.Time
		}
		return
	case engine.DoingDone:
		p.ended(e, p.style.good("done"))
	case engine.DoingSkipped:
		p.ended(e, p.style.warn("left alone"))
	case engine.DoingFailed:
		p.ended(e, p.style.bad("failed"))
	}
}

// ended tells how an operation ended. What only writes the history is worth no
// line, unless it fails.
func (p *progress) ended(e engine.Event, word string) {
	p.dropLong()
	if p.places.history(e.Index) && !p.history && e.Err == nil {
		return
	}
	took := ""
	if start, known := p.started[e.Operation]; known && e.Time.After(start) {
		took = p.style.dim(shortDuration(e.Time.Sub(start)))
	}
	if e.Undoing {
		word = "undo " + word
	}
	p.line("%s", strings.TrimRight(fmt.Sprintf("  %s %-19s %-36s %s %s", p.places.label(e.Index), e.Step, e.Target, word, took), " "))
	if e.Err != nil {
		p.line("  %s %s", strings.Repeat(" ", len(p.places.label(e.Index))), reason(e.Err))
	}
	if p.whole != nil {
		done := e.Index
		if e.Undoing {
			done--
		}
		p.whole.SetCurrent(int64(p.places.of(done)))
	}
}

// waitInWords says what a run waits for, and for how long.
func waitInWords(e engine.Event) string {
	wait := shortDuration(e.Wait)
	switch e.Reason {
	case engine.WaitQuarantine:
		return wait + ": a request that went unanswered may still be on its way"
	case engine.WaitRetryAfter:
		return wait + ", as the server asks, then again"
	default:
		return wait + ", then again"
	}
}

// reason is what stopped an operation, without the operation, which is named
// on the line before.
func reason(err error) string {
	var failed *engine.OperationError
	if errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

func (p *progress) line(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *progress) startWhole(done int) {
	p.dropWhole()
	if p.bars == nil || p.places.total == 0 {
		return
	}
	p.whole = p.bars.AddBar(int64(p.places.total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d steps ")),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO), decor.Any(func(decor.Statistics) string {
			now, _ := p.now.Load().(string)
			return "  " + now
		})),
	)
	p.whole.SetCurrent(int64(done))
}

func (p *progress) dropWhole() {
	if p.whole != nil {
		p.whole.Abort(true)
		p.whole = nil
	}
}

// moveLong shows how far one long step is, with its rate and what is left.
func (p *progress) moveLong(e engine.Event) {
	if p.bars == nil {
		if e.Progress.Total > 0 && e.Progress.Done == e.Progress.Total {
			p.line("  %s: %d", e.Progress.What, e.Progress.Done)
		}
		return
	}
	if p.long == nil || p.longFor != e.Operation+e.Progress.What {
		p.dropLong()
		p.longFor = e.Operation + e.Progress.What
		p.long = p.bars.AddBar(e.Progress.Total, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(e.Progress.What+" "), decor.CountersNoUnit("%d/%d ")),
			mpb.AppendDecorators(decor.AverageSpeed(0, "%.0f/s "), decor.AverageETA(decor.ET_STYLE_GO)),
		)
	}
	if e.Progress.Total > 0 {
		p.long.SetTotal(e.Progress.Total, false)
	}
	p.long.SetCurrent(e.Progress.Done)
}

func (p *progress) dropLong() {
	if p.long != nil {
		p.long.Abort(true)
		p.long = nil
	}
}

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
)

// shadowResult is what plan --shadow tells.
type shadowResult struct {
	Environment string            `json:"environment"`
	Server      string            `json:"server"` // version that the copy behaved as
	Good        bool              `json:"good"`   // up, down and up again, and nothing left behind
	Copied      []copiedResult    `json:"copied"`
	Migrations  []rehearsedResult `json:"migrations"`
	Notices     []string          `json:"notices,omitempty"`
}

type copiedResult struct {
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Documents  int    `json:"documents"`
	Of         int64  `json:"of"`
	AtLeast    bool   `json:"of_at_least,omitempty"` // the server stopped counting
}

type rehearsedResult struct {
	Version   string      `json:"version"`
	Migration string      `json:"migration"`
	Up        *passResult `json:"up,omitempty"` // absent where it was not tried
	Down      *passResult `json:"down,omitempty"`
	Again     *passResult `json:"again,omitempty"`
	// Restored tells whether the copy was as before after the down, or after
	// the undo of a failed up; absent where neither was tried.
	Restored *bool    `json:"restored,omitempty"`
	Left     []string `json:"left,omitempty"`   // what was not
	Unlike   []string `json:"unlike,omitempty"` // what the second up made otherwise
}

type passResult struct {
	Outcome    engine.Outcome    `json:"outcome,omitempty"`
	Requests   int64             `json:"requests"`
	DurationMS int64             `json:"duration_ms"`
	Operations []rehearsedStep   `json:"operations,omitempty"`
	Failure    *rehearsedFailure `json:"failure,omitempty"`
}

type rehearsedStep struct {
	Steps    []string `json:"steps,omitempty"` // their ids in the migration
	File     string   `json:"file,omitempty"`  // of the first
	Line     int      `json:"line,omitempty"`
	Kind     string   `json:"kind"`
	Target   string   `json:"target"`
	Requests int64    `json:"requests"`
	Failed   bool     `json:"failed,omitempty"`
}

type rehearsedFailure struct {
	Step   string `json:"step,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Target string `json:"target,omitempty"`
	Error  string `json:"error"`
	// Status and Type are the server's answer, where it gave one.
	Status int    `json:"status,omitempty"`
	Type   string `json:"type,omitempty"`
}

// shadow rehearses the pending migrations on a copy of the environment.
func (s *session) shadow(ctx context.Context, tasks []migrations.Task, o planOptions) error {
	list := make([]*migrations.Migration, 0, len(tasks))
	for _, task := range tasks {
		list = append(list, task.Migration)
	}
	fmt.Fprintf(s.app.streams.Err, "copying environment %s into an embedded server\n", s.target.Name)
	var options []migrations.RunnerOption
	if o.serial {
		options = append(options, migrations.WithSerial())
	}
	receipts, err := s.receipts(ctx)
	if err != nil {
		return s.explain(err)
	}
	r, err := replica.Rehearse(ctx, s.client, list, replica.Setting{
		History:  migrations.History{Database: s.cfg.History.Database, Collection: s.cfg.History.Collection},
		Receipts: receipts, Each: o.data,
	}, options...)
	if err != nil {
		return s.explain(err)
	}
	result := shadowOf(s.target.Name, r)
	if err := s.app.result("plan-shadow", result, func(w io.Writer) { s.app.printShadow(w, result) }); err != nil {
		return err
	}
	if failed(r) {
		return &ExitError{
			Code: ExitFailed, Err: errors.New("the rehearsal failed; the project was not changed"), Reported: true,
			Next: "mend the migration, then: " + s.app.name + " plan --shadow",
		}
	}
	return nil
}

// nothingToTry is a rehearsal of no migration.
func (s *session) nothingToTry(ctx context.Context, reason error) error {
	server, err := s.client.Detect(ctx)
	if err != nil {
		return s.explain(err)
	}
	result := shadowResult{
		Environment: s.target.Name, Server: server.Version, Good: true,
		Copied: []copiedResult{}, Migrations: []rehearsedResult{},
	}
	return s.app.result("plan-shadow", result, func(w io.Writer) { fmt.Fprintln(w, "Nothing to do"+because(reason)+".") })
}

// failed tells whether a rehearsal found a fault. A migration that cannot be
// taken back is none: that is told.
func failed(r replica.Rehearsal) bool {
	for _, t := range r.Trials {
		for _, p := range []*replica.Pass{t.Up, t.Down, t.Again} {
			if p != nil && p.Err != nil && !errors.Is(p.Err, migrations.ErrNoDown) {
				return true
			}
		}
		if len(t.Left) > 0 || len(t.Unlike) > 0 {
			return true
		}
	}
	return false
}

func shadowOf(environment string, r replica.Rehearsal) shadowResult {
	out := shadowResult{Environment: environment, Server: r.Version, Good: r.Good(), Copied: []copiedResult{}, Notices: append(r.Copy.Notices, r.Notices...)}
	for _, c := range r.Copy.Collections {
		out.Copied = append(out.Copied, copiedResult(c))
	}
	for _, t := range r.Trials {
		line := rehearsedResult{
			Version: t.Migration.Version, Migration: t.Migration.Name, Left: t.Left, Unlike: t.Unlike,
			Up: passOf(t.Up), Down: passOf(t.Down), Again: passOf(t.Again),
		}
		undone := t.Up != nil && t.Up.Err != nil || t.Down != nil && t.Down.Err == nil
		if undone {
			restored := len(t.Left) == 0
			line.Restored = &restored
		}
		out.Migrations = append(out.Migrations, line)
	}
	return out
}

func passOf(p *replica.Pass) *passResult {
	if p == nil {
		return nil
	}
	out := &passResult{Outcome: p.Outcome, Requests: p.Requests, DurationMS: p.Duration.Milliseconds()}
	for _, c := range p.Operations {
		if historyKind(c.Kind) {
			continue
		}
		out.Operations = append(out.Operations, rehearsedStep{
			Steps: c.Steps, File: c.At.File, Line: c.At.Line, Kind: c.Kind, Target: c.Target.String(), Requests: c.Requests, Failed: c.Failed,
		})
	}
	if p.Err == nil {
		return out
	}
	out.Failure = &rehearsedFailure{Error: stopReason(p.Err)}
	var op *engine.OperationError
	if errors.As(p.Err, &op) && !errors.Is(p.Err, migrations.ErrNoDown) {
		out.Failure.Kind, out.Failure.Target, out.Failure.Error = op.Kind, op.Target.String(), op.Err.Error()
		for _, c := range p.Operations {
			if c.Operation == op.Operation {
				out.Failure.Step = span(c.Steps)
			}
		}
	}
	var answer *appwrite.Error
	if errors.As(p.Err, &answer) {
		out.Failure.Status, out.Failure.Type = answer.Status, answer.Type
	}
	return out
}

// span names steps that are carried out together.
func span(ids []string) string {
	if len(ids) > 1 {
		return ids[0] + " to " + ids[len(ids)-1]
	}
	return strings.Join(ids, "")
}

// stopReason is what stopped a run, without the account of its undo.
func stopReason(err error) string {
	var run *engine.RunError
	if errors.As(err, &run) && run.Err != nil {
		return run.Err.Error()
	}
	return err.Error()
}

func (a *app) printShadow(w io.Writer, r shadowResult) {
	p := a.paint()
	fmt.Fprintf(w, "%s\n", p.bold(fmt.Sprintf("Rehearsal on a copy of %s (Appwrite %s)", r.Environment, r.Server)))
	a.printCopied(w, r.Copied)
	for _, m := range r.Migrations {
		fmt.Fprintf(w, "\n%s\n", p.bold(m.Version+" "+m.Migration))
		if m.Up == nil {
			fmt.Fprintln(w, "not tried: it comes after the one that failed")
			continue
		}
		a.printCosts(w, *m.Up)
		for _, pass := range []struct {
			word string
			*passResult
		}{{"up", m.Up}, {"down", m.Down}, {"up again", m.Again}} {
			if pass.passResult != nil {
				fmt.Fprintf(w, "%-9s %s\n", pass.word, a.passInWords(*pass.passResult))
			}
		}
		a.printRestored(w, m)
	}
	for _, n := range r.Notices {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	if r.Good {
		fmt.Fprintf(w, "\n%s\n", p.good("Everything goes up, down and up again, and down restores what was there. The project was only read."))
	} else {
		fmt.Fprintf(w, "\n%s\n", p.warn("Not everything went as it should, see above. The project was only read."))
	}
}

func (a *app) printCopied(w io.Writer, copied []copiedResult) {
	documents, of, more := 0, int64(0), ""
	for _, c := range copied {
		documents += c.Documents
		of += c.Of
		if c.AtLeast {
			more = "more than "
		}
	}
	switch {
	case of == 0:
		fmt.Fprintf(w, "%s, without documents\n", plural(len(copied), "collection"))
	case documents == 0:
		fmt.Fprintf(w, "%s, none of %s%s: with --data N that many of each collection come along\n", plural(len(copied), "collection"), more, plural(int(of), "document"))
	default:
		fmt.Fprintf(w, "%s, %d of %s%s\n", plural(len(copied), "collection"), documents, more, plural(int(of), "document"))
	}
}

// printCosts shows what each operation took.
func (a *app) printCosts(w io.Writer, pass passResult) {
	rows := make([][]string, 0, len(pass.Operations))
	for i, op := range pass.Operations {
		where := span(op.Steps)
		if op.Line > 0 {
			where += fmt.Sprintf(" (line %d)", op.Line)
		}
		kind := op.Kind
		if op.Failed {
			kind = a.paint().bad(kind + " FAILED")
		}
		requests := fmt.Sprint(op.Requests)
		if op.Requests == 0 {
			requests = "not begun"
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), kind, op.Target, where, requests})
	}
	if len(rows) > 0 {
		a.grid(w, []string{"#", "OPERATION", "TARGET", "STEP", "REQUESTS"}, rows)
	}
}

func (a *app) passInWords(pass passResult) string {
	p := a.paint()
	if pass.Failure == nil {
		return fmt.Sprintf("%s, %d requests with the history's", p.good("done"), pass.Requests)
	}
	f := pass.Failure
	if pass.Outcome == "" {
		return p.warn("not possible") + ": " + strings.ReplaceAll(f.Error, "\n", "\n          ")
	}
	text := p.bad("fails")
	if f.Step != "" {
		text += " in step " + f.Step
	}
	if f.Kind != "" {
		text += fmt.Sprintf(" (%s of %s)", f.Kind, f.Target)
	}
	text += ": " + f.Error
	if f.Type != "" {
		text += fmt.Sprintf(" [%d %s]", f.Status, f.Type)
	}
	return text + "; the copy: " + string(pass.Outcome)
}

func (a *app) printRestored(w io.Writer, m rehearsedResult) {
	p := a.paint()
	switch {
	case m.Restored == nil:
	case *m.Restored:
		fmt.Fprintln(w, "restored  "+p.good("everything is as before"))
	default:
		fmt.Fprintln(w, "restored  "+p.bad("no:"))
		for _, d := range m.Left {
			fmt.Fprintf(w, "          %s\n", d)
		}
	}
	for _, d := range m.Unlike {
		fmt.Fprintf(w, "the second up differs from the first: %s\n", d)
	}
}

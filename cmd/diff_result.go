package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/steps"
)

// diffResult is what --format json tells.
type diffResult struct {
	From       string            `json:"from"`
	To         string            `json:"to"`
	Equal      bool              `json:"equal"`
	Changes    []changeResult    `json:"changes"`
	Candidates []candidateResult `json:"candidates,omitempty"` // likely renames, none of them applied
	Steps      []json.RawMessage `json:"steps"`                // canonical, in the order to run them
	Migration  string            `json:"migration,omitempty"`  // the file that was written
}

type changeResult struct {
	Action     schema.Action `json:"action"`
	Type       string        `json:"type"`
	Database   string        `json:"database"`
	Collection string        `json:"collection,omitempty"`
	Key        string        `json:"key,omitempty"`
	Was        string        `json:"was,omitempty"`
	Way        schema.Way    `json:"way"`
	Fields     []fieldResult `json:"fields,omitempty"`
	Losses     []lossResult  `json:"losses,omitempty"`
	Conditions []string      `json:"conditions,omitempty"`
	Steps      []int         `json:"steps,omitempty"` // positions in steps
}

type fieldResult struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

type lossResult struct {
	Code   schema.LossCode `json:"code"`
	Reason string          `json:"reason"`
}

type candidateResult struct {
	Rename  string   `json:"rename"` // as --rename takes it
	Score   float64  `json:"score"`
	Reasons []string `json:"reasons"`
}

func diffResultOf(delta *schema.Delta, from, to side, written string) (diffResult, error) {
	r := diffResult{From: from.Label, To: to.Label, Equal: delta.Empty(), Changes: []changeResult{}, Steps: []json.RawMessage{}, Migration: written}
	for _, c := range delta.Changes {
		line := changeResult{
			Action: c.Action, Type: c.Object.Type, Database: c.Object.Database, Collection: c.Object.Collection, Key: c.Object.Key,
			Was: c.Was, Way: c.Way, Conditions: c.Conditions, Steps: c.Steps,
		}
		for _, f := range c.Fields {
			line.Fields = append(line.Fields, fieldResult(f))
		}
		for _, loss := range c.Losses {
			line.Losses = append(line.Losses, lossResult(loss))
		}
		r.Changes = append(r.Changes, line)
	}
	for _, c := range delta.Candidates {
		r.Candidates = append(r.Candidates, candidateResult{Rename: c.String(), Score: c.Score, Reasons: c.Reasons})
	}
	codec, err := steps.NewCodec(nil, nil)
	if err != nil {
		return r, err
	}
	for _, step := range delta.Steps {
		data, err := codec.Encode(step)
		if err != nil {
			return r, err
		}
		r.Steps = append(r.Steps, data)
	}
	return r, nil
}

func (a *app) printDelta(delta *schema.Delta, from, to side, written string, o diffOptions) error {
	if o.format == "mermaid" {
		if written != "" {
			fmt.Fprintf(a.streams.Err, "wrote %s\n", written)
		}
		return delta.Mermaid(a.streams.Out, from.model, to.model)
	}
	result, err := diffResultOf(delta, from, to, written)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := delta.Text(&text, from.model, to.model); err != nil {
		return err
	}
	return a.result("diff", result, func(w io.Writer) {
		if delta.Empty() {
			fmt.Fprintf(w, "No difference between %s and %s.\n", from.Label, to.Label)
			return
		}
		fmt.Fprintf(w, "%s\n", a.paint().bold(from.Label+" → "+to.Label))
		a.paintMarks(w, text.String())
		fmt.Fprintf(w, "%s\n", summary(delta))
		for _, c := range delta.Candidates {
			fmt.Fprintf(w, "perhaps a rename (%s): --rename %s\n", strings.Join(c.Reasons, ", "), c.Rename)
		}
		switch {
		case written != "":
			fmt.Fprintf(w, "wrote %s\nnext: %s\n", written, a.afterWriting(written, to))
		case o.name == "":
			fmt.Fprintf(w, "next: the same command with --name NAME writes the migration\n")
		}
	})
}

// afterWriting is what comes after a migration was written: an environment that
// it was made from has it already.
func (a *app) afterWriting(written string, to side) string {
	version := anyVersion.FindStringSubmatch(filepath.Base(written))
	if to.env == "" || version == nil {
		return a.name + " plan"
	}
	return fmt.Sprintf("%s baseline %s --env %s, which has it already; plan and up elsewhere", a.program, version[1], to.env)
}

// paintMarks prints lines in the colour of the sign they begin with.
func (a *app) paintMarks(w io.Writer, text string) {
	p := a.paint()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "+"):
			line = p.good(line)
		case strings.HasPrefix(line, "-"), strings.HasPrefix(line, "!"):
			line = p.bad(line)
		case strings.HasPrefix(line, "~"), strings.HasPrefix(line, ">"), strings.HasPrefix(line, "?"):
			line = p.warn(line)
		}
		fmt.Fprintln(w, line)
	}
}

// summary counts what differs.
func summary(delta *schema.Delta) string {
	counts := map[schema.Action]int{}
	for _, c := range delta.Changes {
		counts[c.Action]++
	}
	var parts []string
	for _, action := range []schema.Action{schema.Added, schema.Removed, schema.Renamed, schema.Changed} {
		if n := counts[action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action))
		}
	}
	text := strings.Join(parts, ", ") + ": " + plural(len(delta.Steps), "step")
	if n := len(delta.Lossy()); n > 0 {
		text += fmt.Sprintf(", %s would lose data", plural(n, "change"))
	}
	return text
}

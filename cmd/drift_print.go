package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"
)

func (a *app) printDrift(w io.Writer, r driftResult) {
	p := a.paint()
	if !r.Drifted {
		fmt.Fprintf(w, "%s is what its history says (%s applied).\n", r.Environment, plural(r.Applied, "migration"))
		return
	}
	for _, d := range r.Differences {
		fmt.Fprintf(w, "%s\n", p.bold(d.title()))
		since := d.Since
		if since == "" {
			since = "no migration"
		}
		rows := [][2]string{{"history", orNone(d.History) + by(since, d.AppliedAt)}, {"project", orNone(d.Project) + by("", d.ChangedAt)}}
		if d.File != "" {
			rows = append(rows, [2]string{"file", "as " + d.File})
		}
		for _, row := range rows {
			fmt.Fprintf(w, "  %-8s %s\n", row[0], row[1])
		}
		fmt.Fprintf(w, "  %s\n", p.warn(d.Verdict))
	}
	fmt.Fprintf(w, "%s has drifted from its history in %s (%s applied).\n", r.Environment, plural(len(r.Differences), "place"), plural(r.Applied, "migration"))
	switch {
	case r.Applied > 0:
	case r.pending:
		fmt.Fprintf(w, "next: %s baseline VERSION --env %s, if it has what the migrations make from elsewhere\n", a.program, r.Environment)
		return
	default:
		fmt.Fprintf(w, "next: %s pull --baseline takes it under migrations\n", a.name)
		return
	}
	fmt.Fprintf(w, "next: %s diff migrations env:%s --name adopt writes what the project has as a migration\n", a.name, r.Environment)
}

func (d driftLine) title() string {
	if d.Field == "" {
		return d.Object
	}
	return d.Object + ": " + d.Field
}

// by adds since when or by what something is so.
func by(what, at string) string {
	var parts []string
	if what != "" {
		parts = append(parts, "since "+what)
	}
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		word := "changed "
		if what != "" {
			word = "applied "
		}
		parts = append(parts, word+shortTime(t))
	}
	if len(parts) == 0 {
		return ""
	}
	return "  (" + strings.Join(parts, ", ") + ")"
}

// annotateDrift prints GitHub's workflow commands
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions),
// each at the step that the history has it from.
func (a *app) annotateDrift(r driftResult) {
	for i, d := range r.Differences {
		where := ""
		if at := r.files[i]; at.file != "" {
			where = "file=" + githubProperty(at.file) + ","
			if at.line > 0 {
				where += fmt.Sprintf("line=%d,", at.line)
			}
		}
		message := fmt.Sprintf("%s: %s in the history, %s in the project; %s", d.title(), orNone(d.History), orNone(d.Project), d.Verdict)
		fmt.Fprintf(a.streams.Out, "::error %stitle=%s::%s\n", where, githubProperty("Drift in "+r.Environment), githubText(message))
	}
	if !r.Drifted {
		fmt.Fprintf(a.streams.Out, "::notice title=%s::%s\n", githubProperty("No drift in "+r.Environment),
			githubText(fmt.Sprintf("%s is what its history says", r.Environment)))
	}
}

// githubText escapes the message of a workflow command.
func githubText(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// githubProperty escapes a property of a workflow command.
func githubProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubText(text))
}

package cmd

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"github.com/backstep-dev/backstep/schema/lint"
)

func (a *app) printLint(format string, report lint.Report) error {
	if dir := filepath.ToSlash(a.flags.dir); dir != "." && !path.IsAbs(dir) { // as seen from where the command was typed
		for i := range report.Findings {
			if at := &report.Findings[i].At; at.File != "" {
				at.File = path.Join(dir, at.File)
			}
		}
	}
	switch format {
	case "github":
		return report.GitHub(a.streams.Out)
	case "sarif":
		return report.SARIF(a.streams.Out, toolVersion())
	case "json":
		a.flags.format = format
	}
	errs := report.Errors()
	result := lintResult{
		Migrations: report.Migrations, Errors: errs, Warnings: len(report.Findings) - errs, Silenced: report.Silenced, Findings: report.Results(),
	}
	return a.result("lint", result, func(w io.Writer) { a.writeLint(w, report) })
}

// writeLint shows the findings to a person.
func (a *app) writeLint(w io.Writer, report lint.Report) {
	p := a.paint()
	for _, f := range report.Findings {
		severity := p.warn(string(f.Severity))
		if f.Severity == lint.Error {
			severity = p.bad(string(f.Severity))
		}
		at := f.At.String()
		if at == "" {
			at = strings.TrimSuffix(f.Migration+", "+f.Step, ", ")
		}
		fmt.Fprintf(w, "%s: %s %s: %s\n", p.bold(at), severity, f.Rule.Code, f.Message)
		if f.Line != "" && f.Step != "" {
			number := fmt.Sprintf("%5d", f.At.Line)
			fmt.Fprintf(w, "%s %s\n", p.dim(number+" |"), shortLine(f.Line, f.At.Column))
		}
		fmt.Fprintf(w, "  fix: %s\n", f.Fix)
		for _, line := range f.Insert {
			fmt.Fprintf(w, "     %s %s\n", p.good("+"), line)
		}
		fmt.Fprintf(w, "  %s\n\n", p.dim(f.Rule.Page()))
	}
	fmt.Fprintln(w, report.Counts())
}

// shortLine is a line of a file, cut where it is too wide, with the column in
// sight.
func shortLine(line string, column int) string {
	const widest = 150
	runes := []rune(strings.ReplaceAll(line, "\t", " "))
	if column > widest {
		runes = append([]rune("…"), runes[column-widest/2:]...)
	}
	if len(runes) > widest {
		runes = append(runes[:widest:widest], '…')
	}
	return string(runes)
}

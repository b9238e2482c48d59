package cmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/muesli/termenv"

	"github.com/backstep-dev/backstep/internal/redact"
)

// document is what --format json prints: one object that names its form, so
// that a reader can refuse a form it does not know.
type document struct {
	Schema string `json:"schema"` // "backstep/<command>/v1"
	Result any    `json:"result"`
}

// result prints what a command found: as one JSON document, or for a person by
// the given function.
func (a *app) result(command string, v any, human func(io.Writer)) error {
	if !a.asJSON() {
		human(a.streams.Out)
		return nil
	}
	var told, indented bytes.Buffer
	enc := json.NewEncoder(&told)
	enc.SetEscapeHTML(false)
	err := enc.Encode(document{Schema: "backstep/" + command + "/v1", Result: v})
	if err == nil {
		err = json.Indent(&indented, a.redact.Strings(told.Bytes()), "", "  ")
	}
	if err == nil {
		_, err = fmt.Fprintln(redact.Unwrapped(a.streams.Out), strings.TrimSpace(indented.String()))
	}
	if err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// paint knows whether colours are wanted and gives the few styles in use.
type paint struct{ r *lipgloss.Renderer }

func (a *app) paint() paint {
	r := lipgloss.NewRenderer(a.streams.Out)
	if !a.streams.OutTerminal || a.getenv("NO_COLOR") != "" {
		r.SetColorProfile(termenv.Ascii)
	}
	return paint{r}
}

func (p paint) good(s string) string { return p.r.NewStyle().Foreground(lipgloss.Color("2")).Render(s) }
func (p paint) bad(s string) string  { return p.r.NewStyle().Foreground(lipgloss.Color("1")).Render(s) }
func (p paint) warn(s string) string { return p.r.NewStyle().Foreground(lipgloss.Color("3")).Render(s) }
func (p paint) dim(s string) string  { return p.r.NewStyle().Faint(true).Render(s) }
func (p paint) bold(s string) string { return p.r.NewStyle().Bold(true).Render(s) }

// grid is a table for people. On a terminal it has a frame, elsewhere plain
// columns that grep and cut can use.
func (a *app) grid(w io.Writer, headers []string, rows [][]string) {
	p := a.paint()
	cell := p.r.NewStyle().PaddingRight(2)
	head := cell.Bold(true)
	t := table.New().
		Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderColumn(false).BorderRow(false).BorderHeader(false).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow {
				return head
			}
			return cell
		}).
		Headers(headers...).
		Rows(rows...)
	if a.streams.OutTerminal {
		t = t.Border(lipgloss.NormalBorder()).BorderHeader(true).
			BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false)
	}
	for line := range strings.Lines(t.Render()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// plural gives "1 step", "2 steps".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// orNone is what text shows for a field that may be empty.
func orNone(value string) string { return cmp.Or(value, "none") }

// shortTime is a time for tables, in UTC.
func shortTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// shortDuration rounds a duration to what a person reads.
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(100 * time.Millisecond).String()
	}
}

// framed is a table with a frame, for the few that are meant to be enjoyed.
func (a *app) framed(w io.Writer, headers []string, rows [][]string) {
	p := a.paint()
	cell := p.r.NewStyle().Padding(0, 1)
	t := table.New().Border(lipgloss.RoundedBorder()).
		StyleFunc(func(row, _ int) lipgloss.Style {
			if row == table.HeaderRow {
				return cell.Bold(true)
			}
			return cell
		}).
		Headers(headers...).Rows(rows...)
	fmt.Fprintln(w, t.Render())
}

package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/backstep-dev/backstep/migrations"
)

// source is a migration's file: its lines, the first line of each step, and what
// its comments silence.
type source struct {
	lines      []string
	begins     []int // line of each step, ascending
	directives []*directive
}

// directive is one comment `# backstep:nolint CODE reason`.
type directive struct {
	at      migrations.Position
	codes   []string
	unknown []string // codes of no rule
	reason  string
	line    int // of the step that it is about; 0: the whole file
	used    bool
}

var (
	nolintTag = regexp.MustCompile(`^\s*backstep:nolint(?:\s+(.*))?$`)
	codeTag   = regexp.MustCompile(`^BS[0-9]{3}\b`)
)

func newSource(m *migrations.Migration, data []byte) *source {
	s := &source{lines: strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")}
	for _, list := range [][]migrations.Step{m.Up, m.Down} {
		for _, step := range list {
			s.begins = append(s.begins, step.At.Line)
		}
	}
	slices.Sort(s.begins)
	for _, tk := range lexer.Tokenize(string(data)) {
		if tk.Type != token.CommentType || tk.Position == nil {
			continue
		}
		if match := nolintTag.FindStringSubmatch(tk.Value); match != nil {
			at := migrations.Position{File: m.At.File, Line: tk.Position.Line, Column: tk.Position.Column}
			s.directives = append(s.directives, s.directive(at, match[1]))
		}
	}
	return s
}

// directive reads codes, separated by commas, and the reason behind them. A
// comment behind or inside a step, or on a line of its own right before one, is
// about that step; one before the first key of the file is about all of it.
func (s *source) directive(at migrations.Position, text string) *directive {
	d := &directive{at: at}
	d.codes, d.reason = codesOf(text)
	for _, code := range d.codes {
		if _, known := FindRule(code); !known {
			d.unknown = append(d.unknown, code)
		}
	}
	switch {
	case !s.alone(at.Line) || s.inside(at.Line):
		d.line = s.stepOf(at.Line)
	case s.header(at.Line):
	default:
		d.line = -1
		if i := slices.IndexFunc(s.begins, func(line int) bool { return line > at.Line }); i >= 0 {
			d.line = s.begins[i]
		}
	}
	return d
}

// codesOf takes the codes off the front of a comment's text. After a comma and a
// blank there is another one only where there is something that looks like it.
func codesOf(text string) (codes []string, reason string) {
	for more := true; more; {
		text = strings.TrimLeft(text, ", \t")
		end := strings.IndexAny(text, " \t")
		if end < 0 {
			end = len(text)
		}
		for code := range strings.SplitSeq(text[:end], ",") {
			if code != "" {
				codes = append(codes, code)
			}
		}
		comma := strings.HasSuffix(text[:end], ",")
		text = strings.TrimSpace(text[end:])
		more = (comma || strings.HasPrefix(text, ",")) && codeTag.MatchString(strings.TrimLeft(text, ", \t"))
	}
	return codes, text
}

// inside says that the step that a line belongs to goes on behind it.
func (s *source) inside(line int) bool {
	begin := s.stepOf(line)
	if begin < 0 {
		return false
	}
	for _, text := range s.lines[line : s.end(begin)-1] {
		if rest := strings.TrimSpace(text); rest != "" && !strings.HasPrefix(rest, "#") {
			return indent(text) > indent(s.lines[begin-1])
		}
	}
	return false
}

// indent is how many blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// before gives lines as they stand before a step, nil where none can be put
// there because the step does not begin its line.
func (s *source) before(step int, lines []string) []string {
	if s == nil || step < 1 || step > len(s.lines) {
		return lines
	}
	first := s.lines[step-1]
	if !strings.HasPrefix(strings.TrimLeft(first, " "), "- ") {
		return nil
	}
	moved := make([]string, len(lines))
	for i, line := range lines {
		moved[i] = strings.Repeat(" ", indent(first)) + strings.TrimLeft(line, " ")
	}
	return moved
}

var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)

// word writes an id or a key as YAML takes it for text.
func word(id string) string {
	keyword := slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"}, strings.ToLower(id))
	if plainWord.MatchString(id) && !keyword {
		return id
	}
	return strconv.Quote(id)
}

// alone says that a line holds nothing but a comment.
func (s *source) alone(line int) bool {
	return line >= 1 && line <= len(s.lines) && strings.HasPrefix(strings.TrimSpace(s.lines[line-1]), "#")
}

// header says that nothing but comments comes before a line.
func (s *source) header(line int) bool {
	for _, text := range s.lines[:line] {
		if text = strings.TrimSpace(text); text != "" && !strings.HasPrefix(text, "#") && text != "---" {
			return false
		}
	}
	return true
}

// stepOf gives the first line of the step that a line belongs to; -1 for none.
func (s *source) stepOf(line int) int {
	found := -1
	for _, begin := range s.begins {
		if begin <= line {
			found = begin
		}
	}
	return found
}

// end is the line behind a step that begins at line.
func (s *source) end(line int) int {
	for _, begin := range s.begins {
		if begin > line {
			return begin
		}
	}
	return len(s.lines) + 1
}

// locate gives the place of a field of a step, or that of the step.
func (s *source) locate(at migrations.Position, fields ...string) migrations.Position {
	if s == nil || len(fields) == 0 || at.Line < 1 || at.Line > len(s.lines) {
		return at
	}
	tag := regexp.MustCompile(`(?:^|[\s{,])"?(` + strings.Join(fields, "|") + `)"?\s*:`)
	for line := at.Line; line < s.end(at.Line) && line <= len(s.lines); line++ {
		if match := tag.FindStringSubmatchIndex(s.lines[line-1]); match != nil {
			column := len([]rune(s.lines[line-1][:match[2]])) + 1
			if line > at.Line || column >= at.Column {
				return migrations.Position{File: at.File, Line: line, Column: column}
			}
		}
	}
	return at
}

// silence takes out the findings that comments silence, and adds those about
// the comments.
func silence(in Input, sources map[string]*source, found []Finding) (left []Finding, silenced int) {
	for _, f := range found {
		if s := sources[f.At.File]; s != nil && s.silences(f) {
			silenced++
			continue
		}
		left = append(left, f)
	}
	for _, m := range in.Set.All() {
		s := sources[m.At.File]
		if s == nil || m.Version <= in.Since || in.Live != nil && in.Live.Applied[m.Version] {
			continue
		}
		for _, d := range s.directives {
			for _, f := range in.about(m, d) {
				f.At = d.at
				left = append(left, f)
			}
		}
	}
	return left, silenced
}

func (s *source) silences(f Finding) bool {
	silent := false
	for _, d := range s.directives {
		about := d.line == 0 || d.line == s.stepOf(f.At.Line) && f.Step != ""
		if about && d.reason != "" && len(d.unknown) == 0 && slices.Contains(d.codes, f.Rule.Code) {
			d.used, silent = true, true
		}
	}
	return silent
}

// about gives what is wrong with a comment itself.
func (in Input) about(m *migrations.Migration, d *directive) []Finding {
	const form = "write # backstep:nolint BS103 and the reason"
	switch {
	case len(d.codes) == 0 || len(d.unknown) > 0 && !codeTag.MatchString(d.codes[0]):
		return []Finding{in.onFile(m, CodeReason, "this nolint names no rule", form)}
	case len(d.unknown) > 0:
		return []Finding{in.onFile(m, CodeReason, fmt.Sprintf("this nolint silences nothing, since there is no rule %s", words(d.unknown)), "see docs/lint for the rules")}
	case d.reason == "":
		return []Finding{in.onFile(m, CodeReason, fmt.Sprintf("this nolint gives no reason, so it does not silence %s", words(d.codes)), form)}
	case !d.used && in.Live == nil: // with Live, what fits is no finding, and without it would be one
		return []Finding{in.onFile(m, CodeUnused, fmt.Sprintf("this nolint silences nothing: there is no %s here", words(d.codes)), "delete the comment")}
	default:
		return nil
	}
}

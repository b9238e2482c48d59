package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Counts gives what a report found in a few words.
func (r Report) Counts() string {
	errors := r.Errors()
	text := fmt.Sprintf("%s looked at: ", count(r.Migrations, "migration"))
	if len(r.Findings) == 0 {
		text += "nothing found"
	} else {
		text += count(errors, "error") + ", " + count(len(r.Findings)-errors, "warning")
	}
	if r.Silenced > 0 {
		text += fmt.Sprintf(", %d silenced", r.Silenced)
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Result is a finding as JSON has it.
type Result struct {
	Code      string   `json:"code"`
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	File      string   `json:"file,omitempty"` // none for a migration in Go
	Line      int      `json:"line,omitempty"`
	Column    int      `json:"column,omitempty"`
	Migration string   `json:"migration"`
	Step      string   `json:"step,omitempty"`
	Message   string   `json:"message"`
	Fix       string   `json:"fix"`
	Insert    []string `json:"insert,omitempty"`
	Seen      bool     `json:"seen,omitempty"`
	Page      string   `json:"page"`
}

// Results gives the findings for JSON.
func (r Report) Results() []Result {
	results := make([]Result, 0, len(r.Findings))
	for _, f := range r.Findings {
		results = append(results, Result{
			Code: f.Rule.Code, Rule: f.Rule.Name, Severity: f.Severity, File: f.At.File, Line: f.At.Line, Column: f.At.Column,
			Migration: f.Migration, Step: f.Step, Message: f.Message, Fix: f.Fix, Insert: f.Insert, Seen: f.Seen, Page: f.Rule.Page(),
		})
	}
	return results
}

// GitHub writes the findings as workflow commands, which GitHub shows beside the
// lines of a pull request.
func (r Report) GitHub(w io.Writer) error {
	var b bytes.Buffer
	for _, f := range r.Findings {
		properties := []string{"title=" + property(f.Rule.Code+" "+f.Rule.Name)}
		if f.At.File != "" {
			properties = append([]string{"file=" + property(f.At.File), fmt.Sprintf("line=%d,col=%d", f.At.Line, f.At.Column)}, properties...)
		}
		message := f.Message + "\n" + "fix: " + f.Fix
		if f.At.File == "" {
			message = f.where() + ": " + message
		}
		fmt.Fprintf(&b, "::%s %s::%s\n", f.Severity, strings.Join(properties, ","), escaped(message))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// escaped writes text as the message of a workflow command.
func escaped(text string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// property writes text as a property of a workflow command.
func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escaped(text))
}

// SARIF writes the report as SARIF 2.1.0, which code scanning services read.
// Paths are relative to the project's folder.
func (r Report) SARIF(w io.Writer, version string) error {
	driver := map[string]any{
		"name": "backstep", "informationUri": "https://github.com/backstep-dev/backstep", "rules": sarifRules(),
	}
	if version != "" {
		driver["version"] = version
	}
	results := make([]any, 0, len(r.Findings))
	for _, f := range r.Findings {
		results = append(results, f.sarif())
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs":    []any{map[string]any{"tool": map[string]any{"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}},
	})
}

func sarifRules() []any {
	rules := Rules()
	list := make([]any, 0, len(rules))
	for _, rule := range rules {
		list = append(list, map[string]any{
			"id": rule.Code, "name": rule.Name, "shortDescription": text(rule.Summary), "helpUri": rule.Page(),
			"defaultConfiguration": map[string]any{"level": rule.Severity},
		})
	}
	return list
}

func text(t string) map[string]any { return map[string]any{"text": t} }

func (f Finding) sarif() map[string]any {
	result := map[string]any{"ruleId": f.Rule.Code, "level": f.Severity, "message": text(f.Message + ". " + f.Fix + ".")}
	if f.At.File == "" {
		result["locations"] = []any{map[string]any{"logicalLocations": []any{map[string]any{"fullyQualifiedName": strings.TrimSuffix(f.Migration+"/"+f.Step, "/")}}}}
		return result
	}
	artifact := map[string]any{"uri": (&url.URL{Path: f.At.File}).String()}
	result["locations"] = []any{map[string]any{"physicalLocation": map[string]any{
		"artifactLocation": artifact,
		"region":           map[string]any{"startLine": f.At.Line, "startColumn": f.At.Column},
	}}}
	if len(f.Insert) > 0 {
		here := map[string]any{"startLine": f.step, "startColumn": 1, "endLine": f.step, "endColumn": 1}
		result["fixes"] = []any{map[string]any{
			"description": text(f.Fix),
			"artifactChanges": []any{map[string]any{
				"artifactLocation": artifact,
				"replacements": []any{map[string]any{
					"deletedRegion": here, "insertedContent": text(strings.Join(f.Insert, "\n") + "\n"),
				}},
			}},
		}}
	}
	return result
}

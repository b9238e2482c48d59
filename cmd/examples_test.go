package cmd_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/cmd"
)

// TestExamplesCanBeCopiedLineByLine looks for remarks in the help of all commands
// that a shell would take for arguments.
func TestExamplesCanBeCopiedLineByLine(t *testing.T) {
	t.Parallel()
	help := func(command ...string) string {
		var out bytes.Buffer
		streams := cmd.Streams{In: strings.NewReader(""), Out: &out, Err: &out}
		if code := cmd.Execute(t.Context(), append(command, "--help"), streams); code != cmd.ExitDone {
			t.Fatalf("%s --help: exit code %d: %s", command, code, &out)
		}
		return out.String()
	}
	names := regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`)
	remark := regexp.MustCompile(`\S {2,}[^# ]`)
	seen := 0
	look := func(command ...string) string {
		text := help(command...)
		_, examples, found := strings.Cut(text, "Examples:\n")
		if !found {
			return text
		}
		examples, _, _ = strings.Cut(examples, "\n\n")
		for line := range strings.SplitSeq(examples, "\n") {
			if seen++; remark.MatchString(line) {
				t.Errorf("%s --help: %s", strings.Join(command, " "), line)
			}
		}
		return text
	}
	for _, m := range names.FindAllStringSubmatch(look(), -1) {
		if m[1] == "completion" || m[1] == "help" {
			continue // those are not ours
		}
		for _, sub := range names.FindAllStringSubmatch(look(m[1]), -1) {
			look(m[1], sub[1])
		}
	}
	if seen < 50 {
		t.Errorf("only %d examples were looked at", seen)
	}
}

package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/charmbracelet/huh"
	"github.com/spf13/pflag"
)

func addConfirm(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "confirm", "", "the environment's name, which a protected environment asks for")
}

func addConflict(f *pflag.FlagSet, policy *string) {
	f.StringVar(policy, "on-conflict", "", "what an undo does about changes by others: halt, merge, overwrite or skip (default: on_conflict of backstep.yaml)")
}

// named asks for the name of a protected environment; given is that of a flag.
func named(given string) func(context.Context, *session) error {
	return func(_ context.Context, s *session) error { return s.confirm(given) }
}

// confirm lets a change of a protected environment pass only when its name has
// been typed, as a flag or at a prompt.
func (s *session) confirm(given string) error {
	if !s.target.Protected || given == s.target.Name {
		return nil
	}
	if given == "" && s.app.mayAsk() {
		typed, err := s.app.typed(fmt.Sprintf("%s is protected. Type its name to go on:", s.target.Name))
		if err != nil {
			return err
		}
		if typed == s.target.Name {
			return nil
		}
	}
	return &ExitError{
		Code: ExitRefused, Err: fmt.Errorf("environment %q is protected and its name was not given; nothing was changed", s.target.Name),
		Next: "the same command with --confirm " + s.target.Name,
	}
}

// typed asks for a line of text.
func (a *app) typed(question string) (string, error) {
	var answer string
	form := huh.NewForm(huh.NewGroup(huh.NewInput().Title(question).Value(&answer)))
	return answer, a.ask(form)
}

// choice is one of a few words to choose from, with what it means.
type choice struct{ word, meaning string }

// choose asks for one of a few words.
func (a *app) choose(question string, choices []choice, preset string) (string, error) {
	answer := preset
	options := make([]huh.Option[string], 0, len(choices))
	for _, c := range choices {
		options = append(options, huh.NewOption(c.meaning, c.word))
	}
	form := huh.NewForm(huh.NewGroup(huh.NewSelect[string]().Title(question).Options(options...).Value(&answer)))
	return answer, a.ask(form)
}

func (a *app) ask(form *huh.Form) error {
	err := form.WithInput(a.streams.In).WithOutput(a.streams.Err).WithAccessible(a.getenv("ACCESSIBLE") != "").Run()
	if errors.Is(err, huh.ErrUserAborted) {
		return &ExitError{Code: ExitRefused, Err: errors.New("not confirmed; nothing was changed")}
	}
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	return nil
}

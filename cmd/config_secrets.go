package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/backstep-dev/backstep/internal/redact"
	"github.com/backstep-dev/backstep/journal"
	"github.com/backstep-dev/backstep/journal/crypt"
	"github.com/backstep-dev/backstep/migrations"
)

// encryptionConfig says for whom the data in the journal is sealed. Secret keys
// are never in the file.
type encryptionConfig struct {
	Recipients   []string `yaml:"recipients"`    // age public keys, "age1…"; none: nothing is sealed
	IdentityFile string   `yaml:"identity_file"` // file of secret keys, where there is one; "~/" is the home folder
	IdentityEnv  string   `yaml:"identity_env"`  // name of the variable that holds them instead; default BACKSTEP_AGE_IDENTITY
}

// defaultIdentityEnv is the variable that holds age identities by default.
const defaultIdentityEnv = "BACKSTEP_AGE_IDENTITY"

// refuseSecretKeys refuses a project file with an age secret key in it before
// anything else reads it, since errors show lines of the file.
func refuseSecretKeys(data []byte) error {
	if i := bytes.Index(bytes.ToUpper(data), []byte("AGE-SECRET-KEY-")); i >= 0 {
		return fmt.Errorf("%s:%d: there is a secret key in the file; take it out and make a new one: identities come from a file or a variable (encryption.identity_file, %s)",
			configFile, 1+bytes.Count(data[:i], []byte("\n")), defaultIdentityEnv)
	}
	return nil
}

// validateSecrets checks what the file says about sealing and redacting.
func (c *config) validateSecrets() error {
	if _, err := redact.New(c.Redact...); err != nil {
		return fmt.Errorf("%s: redact: %w", configFile, err)
	}
	if _, err := crypt.NewKeys(c.Encryption.Recipients, ""); err != nil {
		return fmt.Errorf("%s: encryption.recipients: %w", configFile, err)
	}
	return nil
}

// startRedacting reads which fields are kept out of all output, before any
// command has said anything. What is wrong with the file is told by the command.
func (a *app) startRedacting() {
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil || len(cfg.Redact) == 0 || a.redact.Set(cfg.Redact) != nil {
		return
	}
	a.streams.Out, a.streams.Err = a.redact.Writer(a.streams.Out), a.redact.Writer(a.streams.Err)
}

// keys gives what seals and opens the environment's journal.
func (a *app) keys(cfg *config) (*crypt.Keys, error) {
	variable := firstOf(cfg.Encryption.IdentityEnv, defaultIdentityEnv)
	identity, source := a.getenv(variable), "the variable "+variable
	if path := cfg.Encryption.IdentityFile; identity == "" && path != "" {
		if rest, home := strings.CutPrefix(path, "~/"); home {
			path = filepath.Join(a.getenv("HOME"), rest)
		} else if !filepath.IsAbs(path) {
			path = filepath.Join(a.flags.dir, path)
		}
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // where it is not, runs can still be begun
			return nil, usageError(fmt.Errorf("read the identities: %w", err), "")
		}
		identity, source = string(data), path
	}
	keys, err := crypt.NewKeys(cfg.Encryption.Recipients, identity)
	if errors.Is(err, crypt.ErrIdentity) {
		err = fmt.Errorf("%s: %w", source, err)
	}
	if err != nil {
		return nil, usageError(err, "")
	}
	return keys, nil
}

// withSecrets gives the journal that commands work on: sealed and opened by the
// environment's keys, and the values in it known to the redactor.
func (a *app) withSecrets(cfg *config, store journal.Store) (journal.Store, error) {
	if _, none := store.(noJournal); none {
		return store, nil
	}
	keys, err := a.keys(cfg)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	sealed, err := crypt.New(store, keys)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if !a.redact.Active() {
		return sealed, nil
	}
	return knownStore{sealed, a.redact}, nil
}

// storedForm gives a journal as it is stored. That can be verified, moved and
// pruned without any identity.
func storedForm(store journal.Store) journal.Store {
	for {
		wrapped, ok := store.(interface{ Stored() journal.Store })
		if !ok {
			return store
		}
		store = wrapped.Stored()
	}
}

// knownStore makes the values in the records that are read known to the
// redactor, since errors and reports may repeat them.
type knownStore struct {
	*crypt.Store
	redact *redact.Redactor
}

// Records implements journal.Store.
func (s knownStore) Records(ctx context.Context, run string) ([]journal.Record, error) {
	records, err := s.Store.Records(ctx, run)
	for _, r := range records {
		s.redact.Learn(r.Body, redact.About{})
	}
	return records, err
}

// hintSealed says what to do about something that is sealed.
func (a *app) hintSealed(err error) error {
	var exit *ExitError
	if !errors.Is(err, journal.ErrSealed) || errors.As(err, &exit) && exit.Next != "" {
		return err
	}
	code := exitCode(err)
	return &ExitError{
		Code: code, Err: err, Reported: exit != nil && exit.Reported,
		Next: "give the identity that goes with a recipient, in " + defaultIdentityEnv + " or in the file of encryption.identity_file, and type the same again",
	}
}

// redactedRecords gives a run's records without the values of the fields that
// are kept out. Their hashes are those of the records as they are.
func (a *app) redactedRecords(state journal.State, records []journal.Record) []journal.Record {
	if !a.redact.Active() {
		return records
	}
	redacted := slices.Clone(records)
	for i, r := range redacted {
		redacted[i].Body = a.redact.JSON(r.Body, redact.AboutStep(recordedStep(state, r.Operation)))
	}
	return redacted
}

// learnSet makes the values in the migrations known to the redactor.
func (a *app) learnSet(set migrations.Set) {
	if !a.redact.Active() {
		return
	}
	for _, m := range set.All() {
		for _, step := range slices.Concat(m.Up, m.Down) {
			if raw, err := journal.Canonical(step.Change); err == nil {
				a.redact.Learn(raw, redact.About{})
			}
		}
	}
}

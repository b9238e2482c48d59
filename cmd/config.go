package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// configFile is the project file, looked for in the project's folder.
const configFile = "backstep.yaml"

// config is what backstep.yaml says. Everything has a default, so a project
// that is described by environment variables needs no file.
type config struct {
	Migrations    string                 `yaml:"migrations"`     // folder of the migration files; default "migrations"
	Default       string                 `yaml:"default"`        // environment used without --env; default: the only one, or "dev"
	Journal       string                 `yaml:"journal"`        // "remote" (default): in the project; "file" or "file:PATH": on this machine
	JournalKeep   string                 `yaml:"journal_keep"`   // how long `journal prune` keeps ended runs; default "30d"
	History       historyConfig          `yaml:"history"`        // where an environment keeps what was applied
	OnInterrupted string                 `yaml:"on_interrupted"` // "resume" (default), "rollback" or "fail": what `up` does about an unfinished run
	OnInterrupt   string                 `yaml:"on_interrupt"`   // "leave" (default) or "compensate": what Ctrl-C does
	OnConflict    string                 `yaml:"on_conflict"`    // "halt" (default), "merge", "overwrite" or "skip"
	OutOfOrder    string                 `yaml:"out_of_order"`   // "refuse" (default), "warn" or "allow": what `up` does about a migration older than an applied one
	Timeouts      timeoutConfig          `yaml:"timeouts"`
	Lease         leaseConfig            `yaml:"lease"`
	Lint          lintConfig             `yaml:"lint"`
	Encryption    encryptionConfig       `yaml:"encryption"` // sealing of what the journal knows of users' data
	Redact        []string               `yaml:"redact"`     // fields whose values are in no output: "email", or "users.email" for one collection
	Environments  map[string]environment `yaml:"environments"`
}

type historyConfig struct {
	Database   string `yaml:"database"`   // default "backstep", or MIGRATIONS_DATABASE_ID
	Collection string `yaml:"collection"` // default "migrations", or MIGRATIONS_COLLECTION_ID
}

type timeoutConfig struct {
	Attempt    time.Duration `yaml:"attempt"`    // one request; default 30s
	Budget     time.Duration `yaml:"budget"`     // one step with its retries; default 10m
	Quarantine time.Duration `yaml:"quarantine"` // how long an unanswered write may still act; default attempt + 20s
}

// environment is one Appwrite project that the migrations go to. What it
// leaves out comes from the environment variables.
type environment struct {
	Endpoint  string `yaml:"endpoint"`  // such as https://cloud.appwrite.io/v1
	Project   string `yaml:"project"`   // project id
	KeyEnv    string `yaml:"key_env"`   // name of the variable that holds the API key; default APPWRITE_API_KEY
	Protected bool   `yaml:"protected"` // changes ask for the environment's name
}

const (
	defaultAttempt = 30 * time.Second
	defaultBudget  = 10 * time.Minute
	// statementMargin is what a request may take after its client gave up: the
	// server's own statement timeout of 15 s and a margin.
	statementMargin = 20 * time.Second
)

// loadConfig reads backstep.yaml of the folder dir, fills in the defaults and
// what ADMT's variables say. A missing file is an empty one.
func loadConfig(dir string, getenv func(string) string) (config, error) {
	var cfg config
	path := filepath.Join(dir, configFile)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return config{}, fmt.Errorf("read the project file: %w", err)
	default:
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		if err := refuseSecretKeys(data); err != nil {
			return config{}, err
		}
		if err := yaml.UnmarshalWithOptions(data, &cfg, yaml.Strict()); err != nil {
			return config{}, fmt.Errorf("%s: %s", configFile, strings.TrimSpace(yaml.FormatError(err, false, true)))
		}
	}
	cfg.fill(getenv)
	return cfg, cfg.validate()
}

func (c *config) fill(getenv func(string) string) {
	c.Migrations = firstOf(c.Migrations, getenv("MIGRATIONS_HOME_FOLDER"), "migrations")
	c.Journal = firstOf(c.Journal, journalRemote)
	c.Lease.fill()
	c.History.Database = firstOf(c.History.Database, getenv("MIGRATIONS_DATABASE_ID"), "backstep")
	c.History.Collection = firstOf(c.History.Collection, getenv("MIGRATIONS_COLLECTION_ID"), "migrations")
	c.OnInterrupted = firstOf(c.OnInterrupted, "resume")
	c.OnInterrupt = firstOf(c.OnInterrupt, "leave")
	c.OnConflict = firstOf(c.OnConflict, "halt")
	c.OutOfOrder = firstOf(c.OutOfOrder, "refuse")
	if c.Timeouts.Attempt == 0 {
		c.Timeouts.Attempt = defaultAttempt
	}
	if c.Timeouts.Budget == 0 {
		c.Timeouts.Budget = defaultBudget
	}
	if c.Timeouts.Quarantine == 0 {
		c.Timeouts.Quarantine = c.Timeouts.Attempt + statementMargin
	}
	if c.Default == "" {
		c.Default = "dev"
		if names := c.names(); len(names) == 1 {
			c.Default = names[0]
		}
	}
}

func (c *config) validate() error {
	for _, check := range []struct {
		key, value string
		allowed    []string
	}{
		{"on_interrupted", c.OnInterrupted, []string{"resume", "rollback", "fail"}},
		{"on_interrupt", c.OnInterrupt, []string{"leave", "compensate"}},
		{"on_conflict", c.OnConflict, []string{"halt", "merge", "overwrite", "skip"}},
		{"out_of_order", c.OutOfOrder, []string{"refuse", "warn", "allow"}},
	} {
		if !slices.Contains(check.allowed, check.value) {
			return fmt.Errorf("%s: %s is %q; it may be %s", configFile, check.key, check.value, strings.Join(check.allowed, ", "))
		}
	}
	if err := errors.Join(c.validateSecrets(), c.Lease.validate()); err != nil {
		return err
	}
	if c.Timeouts.Attempt < 0 || c.Timeouts.Budget < 0 || c.Timeouts.Quarantine < 0 {
		return fmt.Errorf("%s: a timeout cannot be negative", configFile)
	}
	return c.Lint.validate()
}

func (c *config) names() []string {
	names := make([]string, 0, len(c.Environments))
	for name := range c.Environments {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// target is the one project that a command works on.
type target struct {
	Name      string
	Endpoint  string
	Project   string
	Key       string
	KeySource string // the variable that held the key
	Protected bool
}

// target picks the environment called name, or the default one for "".
func (c *config) target(name string, getenv func(string) string) (target, error) {
	name = firstOf(name, c.Default)
	env, known := c.Environments[name]
	if !known && len(c.Environments) > 0 {
		return target{}, fmt.Errorf("no environment %q in %s; it has %s", name, configFile, strings.Join(c.names(), ", "))
	}
	t := target{
		Name:      name,
		Endpoint:  firstOf(env.Endpoint, getenv("APPWRITE_ENDPOINT"), getenv("APPWRITE_FUNCTION_API_ENDPOINT")),
		Project:   firstOf(env.Project, getenv("APPWRITE_PROJECT_ID"), getenv("APPWRITE_FUNCTION_PROJECT_ID")),
		KeySource: firstOf(env.KeyEnv, "APPWRITE_API_KEY"),
		Protected: env.Protected,
	}
	t.Key = getenv(t.KeySource)
	if env.KeyEnv == "" && t.Key == "" {
		t.Key = getenv("APPWRITE_FUNCTION_API_KEY")
	}
	for _, missing := range []struct{ value, what, variable string }{
		{t.Endpoint, "endpoint", "APPWRITE_ENDPOINT"},
		{t.Project, "project id", "APPWRITE_PROJECT_ID"},
		{t.Key, "API key", t.KeySource},
	} {
		if missing.value == "" {
			return target{}, fmt.Errorf("environment %q has no %s: set %s%s", name, missing.what, missing.variable, inFile(missing.what, name))
		}
	}
	return t, nil
}

func inFile(what, name string) string {
	switch what {
	case "endpoint":
		return fmt.Sprintf(", or environments.%s.endpoint in %s", name, configFile)
	case "project id":
		return fmt.Sprintf(", or environments.%s.project in %s", name, configFile)
	default:
		return fmt.Sprintf(" (the name of the variable is environments.%s.key_env in %s)", name, configFile)
	}
}

// firstOf gives the first value that is not empty.
func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

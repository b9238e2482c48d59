package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/appwrite/sdk-for-go/query"
	"github.com/spf13/cobra"

	"github.com/backstep-dev/backstep/appwrite"
	"github.com/backstep-dev/backstep/steps"
)

// check is one line of the doctor's findings.
type check struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, warn or fail
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// backlogWorthTelling is a worker queue that makes schema changes slow: real
// servers finish a job in about 50 ms (27 to 72 ms were seen), so this is seconds.
const backlogWorthTelling = 50

func newDoctor(a *app) *cobra.Command {
	var scan int64
	c := &cobra.Command{
		Use:     "doctor",
		Short:   "Check endpoint, key, scopes, worker and the health of the schema",
		GroupID: "look",
		Long: `Checks what a run will need and what is broken already: attributes and indexes
that are stuck or failed, and, on servers that let a unique index over duplicates
pass as available, whether unique indexes are what they say. Changes nothing.`,
		Example: "  backstep doctor\n  backstep doctor --env production --format json",
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDoctor(c.Context(), a, scan) },
	}
	c.Flags().Int64Var(&scan, "scan", 5000, "skip unique indexes of collections with more documents; 0: read them all (servers count to 5000)")
	return c
}

func runDoctor(ctx context.Context, a *app, scan int64) error {
	t, client, err := a.client()
	if err != nil {
		return err
	}
	d := &doctor{name: a.name, client: client, target: t, scan: scan}
	d.examine(ctx)
	if err := a.result("doctor", d.checks, func(w io.Writer) { a.printChecks(w, d.checks) }); err != nil {
		return err
	}
	for _, c := range d.checks {
		if c.State == checkFail {
			return &ExitError{Code: ExitFailed, Err: errors.New("something is wrong; see above"), Reported: true}
		}
	}
	return nil
}

func (a *app) printChecks(w io.Writer, checks []check) {
	p := a.paint()
	words := map[string]string{checkOK: p.good("ok  "), checkWarn: p.warn("warn"), checkFail: p.bad("FAIL")}
	for _, c := range checks {
		fmt.Fprintf(w, "%s  %-14s %s\n", words[c.State], c.Name, c.Detail)
		if c.Fix != "" {
			fmt.Fprintf(w, "      %-14s → %s\n", "", c.Fix)
		}
	}
}

// doctor collects findings. Each examination stops at the first thing without
// which the rest makes no sense.
type doctor struct {
	name   string // of the program
	client *appwrite.Client
	target target
	scan   int64
	checks []check
}

func (d *doctor) say(name, state, detail, fix string) {
	d.checks = append(d.checks, check{name, state, detail, fix})
}

func (d *doctor) examine(ctx context.Context) {
	server, err := d.client.Detect(ctx)
	if err != nil {
		d.say("endpoint", checkFail, err.Error(), hint(d.name, err, d.target))
		return
	}
	d.say("endpoint", checkOK, d.target.Endpoint, "")
	d.say("version", checkOK, fmt.Sprintf("Appwrite %s, %s dialect", firstOf(server.Version, "of unknown version"), server.Dialect), "")
	if !d.examineKey(ctx) {
		return
	}
	d.examineWorker(ctx)
	d.examineSchema(ctx, server)
}

func (d *doctor) examineKey(ctx context.Context) bool {
	grants, err := d.client.Grants(ctx)
	if err != nil {
		name := "key"
		if errors.Is(err, appwrite.ErrProjectNotFound) {
			name = "project"
		}
		d.say(name, checkFail, err.Error(), hint(d.name, err, d.target))
		return false
	}
	d.say("project", checkOK, d.target.Project, "")
	var missing []string
	for _, g := range grants {
		if !g.Granted {
			missing = append(missing, g.Scope)
		}
	}
	if len(missing) > 0 {
		d.say("scopes", checkFail, "the key lacks "+strings.Join(missing, ", "), "add the scopes to the key in Appwrite's console")
		return false
	}
	d.say("scopes", checkOK, "the key may do everything that a migration needs", "")
	return true
}

func (d *doctor) examineWorker(ctx context.Context) {
	waiting, err := d.client.QueueSize(ctx)
	switch {
	case err != nil:
		d.say("worker", checkWarn, "backlog unknown: "+err.Error(), "give the key the scope health.read")
	case waiting >= backlogWorthTelling:
		d.say("worker", checkWarn, plural(int(waiting), "job")+" waiting", "wait for it: every schema change queues behind them")
	default:
		d.say("worker", checkOK, plural(int(waiting), "job")+" waiting", "")
	}
}

func (d *doctor) examineSchema(ctx context.Context, server appwrite.Server) {
	databases, err := d.client.ListDatabases(ctx)
	if err != nil {
		d.say("schema", checkFail, err.Error(), hint(d.name, err, d.target))
		return
	}
	before := len(d.checks)
	collections := 0
	for _, db := range databases {
		all, err := d.client.ListCollections(ctx, db.ID)
		if errors.Is(err, appwrite.ErrNotFound) {
			continue // removed since the databases were listed
		}
		if err != nil {
			d.say("schema", checkFail, err.Error(), "")
			return
		}
		collections += len(all)
		for _, c := range all {
			d.examineCollection(ctx, server, db.ID, c)
		}
	}
	if len(d.checks) == before {
		d.say("schema", checkOK, fmt.Sprintf("%s, %s: nothing stuck, failed or falsely unique",
			plural(len(databases), "database"), plural(collections, "collection")), "")
	}
}

func (d *doctor) examineCollection(ctx context.Context, server appwrite.Server, database string, c appwrite.Collection) {
	place := database + "/" + c.ID
	for _, at := range c.Attributes {
		if broken(at.Status) {
			d.say("attribute", checkFail, fmt.Sprintf("%s/%s is %s %s", place, at.Key, at.Status, at.Error),
				"delete it, wait until it is gone and create it again; its key stays taken until then")
		}
	}
	for _, ix := range c.Indexes {
		if broken(ix.Status) {
			d.say("index", checkFail, fmt.Sprintf("%s/%s is %s %s", place, ix.Key, ix.Status, ix.Error), "delete it and create it again")
			continue
		}
		if ix.Type == "unique" && server.Capabilities.FalseUnique {
			d.examineUnique(ctx, database, c.ID, ix)
		}
	}
}

func broken(status string) bool {
	return status == appwrite.StatusStuck || status == appwrite.StatusFailed
}

// examineUnique looks for values that a unique index should not have let in.
func (d *doctor) examineUnique(ctx context.Context, database, collection string, ix appwrite.Index) {
	place := database + "/" + collection + "/" + ix.Key
	if d.scan > 0 {
		page, err := d.client.ListDocuments(ctx, database, collection, query.Limit(1))
		if err == nil && page.Total >= d.scan {
			d.say("index", checkWarn, fmt.Sprintf("%s was not checked for duplicates: the collection has %d documents or more", place, d.scan),
				d.name+" doctor --scan 0 reads them all")
			return
		}
	}
	ids, repeated, err := steps.Twins(ctx, d.client, database, collection, ix)
	switch {
	case err != nil:
		d.say("index", checkWarn, fmt.Sprintf("%s could not be checked for duplicates: %v", place, err), "")
	case repeated > 0:
		d.say("index", checkFail, fmt.Sprintf("%s says unique and is not enforced: %s with the value of another (such as %s)",
			place, plural(int(repeated), "document"), strings.Join(ids, ", ")), "remove the duplicates, then delete the index and create it again")
	}
}

// hint says what to do about an error that a first request meets; nothing where
// the command was stopped.
func hint(name string, err error, t target) string {
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.Is(err, appwrite.ErrProjectNotFound):
		return fmt.Sprintf("check the project id %q of environment %q", t.Project, t.Name)
	case errors.Is(err, appwrite.ErrUnauthorized):
		return fmt.Sprintf("check the API key in %s: it may be wrong, expired, of another project or short of scopes (%s doctor tells)", t.KeySource, name)
	case errors.Is(err, appwrite.ErrRouteNotFound):
		return fmt.Sprintf("check the endpoint %s: it should end in /v1", t.Endpoint)
	}
	var transport *appwrite.TransportError
	if errors.As(err, &transport) {
		return fmt.Sprintf("check that %s can be reached from here", t.Endpoint)
	}
	return ""
}

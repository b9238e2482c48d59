package cmd

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/migrations"
	"github.com/backstep-dev/backstep/schema"
	"github.com/backstep-dev/backstep/schema/lint"
	"github.com/backstep-dev/backstep/steps"
)

// renaming is an attribute that is to get another name without any client
// noticing: first both names, then the new one only.
type renaming struct {
	database, collection string
	attribute            schema.Attribute
	indexes              []schema.Index // that use it
	newKey               string
}

// runExpandContract writes the pair of migrations.
func runExpandContract(a *app, args []string) error {
	if len(args) != 3 || args[0] != "rename" {
		return usageError(errors.New("--expand-contract needs: rename collection.attribute newname"), a.name+" new --help")
	}
	cfg, err := loadConfig(a.flags.dir, a.getenv)
	if err != nil {
		return usageError(err, "")
	}
	set, err := a.loadSet(&cfg)
	if err != nil {
		return err
	}
	model, err := lint.State(set)
	if err != nil {
		return err
	}
	if err := a.sumReadable(); err != nil {
		return err
	}
	r, err := findRenaming(model, args[1], args[2])
	if err != nil {
		return usageError(err, "")
	}
	version, err := a.nextVersion(cfg.Migrations)
	if err != nil {
		return err
	}
	first, err := time.Parse(versionLayout, version)
	if err != nil {
		return fmt.Errorf("count on from version %s: %w", version, err)
	}
	return a.writePair(cfg.Migrations, r, version, first.Add(time.Second).Format(versionLayout))
}

// findRenaming looks an attribute up by collection.attribute, or with its
// database before that where two databases have one. Ids may hold dots.
func findRenaming(m schema.Model, name, newKey string) (renaming, error) {
	var found []renaming
	for _, db := range m.Databases {
		for _, col := range db.Collections {
			for _, attribute := range col.Attributes {
				short := col.ID + "." + attribute.Key
				if name != short && name != db.ID+"."+short {
					continue
				}
				r := renaming{database: db.ID, collection: col.ID, attribute: attribute, newKey: newKey}
				for _, x := range col.Indexes {
					if slices.Contains(x.Attributes, attribute.Key) {
						r.indexes = append(r.indexes, x)
					}
				}
				if slices.ContainsFunc(col.Attributes, func(o schema.Attribute) bool { return strings.EqualFold(o.Key, newKey) }) {
					return r, fmt.Errorf("%s/%s has an attribute %s already", db.ID, col.ID, newKey)
				}
				found = append(found, r)
			}
		}
	}
	switch {
	case len(found) == 0:
		return renaming{}, fmt.Errorf("no migration makes an attribute %s: write it as collection.attribute, or as database.collection.attribute", name)
	case len(found) > 1:
		return renaming{}, fmt.Errorf("%s is in the databases %s and %s: write it as database.collection.attribute", name, found[0].database, found[1].database)
	case found[0].attribute.Relationship != nil:
		return renaming{}, fmt.Errorf("%s is a relationship: two of them cannot stand for one", name)
	case found[0].attribute.Encrypt:
		return renaming{}, fmt.Errorf("%s is encrypted, and no query can tell whether all of it has been copied", name)
	}
	return found[0], steps.Validate(steps.RenameAttribute{Database: found[0].database, Collection: found[0].collection, Key: found[0].attribute.Key, NewKey: newKey})
}

// expand gives the steps that make both names work: the new attribute, optional
// and without a default, so that null tells what nobody wrote; its values; its
// indexes. Clients may then leave the old one out.
func (r renaming) expand() []engine.Step {
	at := r.attribute
	list := []engine.Step{steps.CreateAttribute{
		Database: r.database, Collection: r.collection, Key: r.newKey, Type: at.Type, Size: at.Size, Array: at.Array,
		Min: at.Min, Max: at.Max, Elements: at.Elements,
	}}
	if at.Required {
		no := false
		list = append(list, steps.UpdateAttribute{Database: r.database, Collection: r.collection, Key: at.Key, Required: &no})
	}
	list = append(list, steps.FillAttribute{Database: r.database, Collection: r.collection, Key: r.newKey, From: at.Key})
	for _, x := range r.indexes {
		keys := slices.Clone(x.Attributes)
		for i := range keys {
			if keys[i] == at.Key {
				keys[i] = r.newKey
			}
		}
		list = append(list, steps.CreateIndex{
			Database: r.database, Collection: r.collection, Key: r.indexKey(x.Key), Type: x.Type, Attributes: keys, Orders: x.Orders, Lengths: x.Lengths,
		})
	}
	return list
}

// indexKey is the name of an index's successor: the old name where it speaks of
// the attribute, with the new one in its place, else both.
func (r renaming) indexKey(key string) string {
	name := strings.Replace(key, r.attribute.Key, r.newKey, 1)
	if name == key {
		name = key + "_" + r.newKey
	}
	const longest = 36
	if len(name) <= longest {
		return name
	}
	rest := fmt.Sprintf("_%.3x", sha256.Sum256([]byte(name))) // what is cut off tells names apart
	return name[:longest-len(rest)] + rest
}

// contract gives the steps that leave only the new name. They begin with what
// must hold: no document has a value under the old name only.
func (r renaming) contract() []engine.Step {
	at := r.attribute
	list := []engine.Step{steps.Assert{
		Database: r.database, Collection: r.collection, Empty: true,
		Where: []steps.Query{{Method: "isNotNull", Attribute: at.Key}, {Method: "isNull", Attribute: r.newKey}},
	}}
	if at.Required || at.Default != nil {
		change := steps.UpdateAttribute{Database: r.database, Collection: r.collection, Key: r.newKey, Default: at.Default}
		if at.Required {
			yes := true
			change.Required = &yes
		}
		list = append(list, change)
	}
	for _, x := range r.indexes {
		list = append(list, steps.DeleteIndex{Database: r.database, Collection: r.collection, Key: x.Key})
	}
	return append(list, steps.DeleteAttribute{Database: r.database, Collection: r.collection, Key: at.Key})
}

// writePair writes both files.
func (a *app) writePair(folder string, r renaming, first, second string) error {
	old := r.collection + "." + r.attribute.Key
	slug := slugOf(old + "_to_" + r.newKey)
	expand := (&migrations.Migration{
		Version: first, Name: "expand_" + slug,
		Description: fmt.Sprintf("Give %s the name %s as well", old, r.newKey),
	}).WithSteps(r.expand())
	contract := (&migrations.Migration{
		Version: second, Name: "contract_" + slug,
		Description: fmt.Sprintf("Leave %s to its new name %s", old, r.newKey),
		Hold:        fmt.Sprintf("every deployed client reads and writes %s, and none uses %s any more", r.newKey, r.attribute.Key),
	}).WithSteps(r.contract())
	notes := []string{fmt.Sprintf("Expand and contract: when this is applied, deploy clients that read %s and write both names,\nthen clients that use %s only, then apply %s.", r.newKey, r.newKey, contract.ID())}
	if slices.ContainsFunc(r.indexes, func(x schema.Index) bool { return x.Type == "unique" }) {
		notes = append(notes, fmt.Sprintf("backstep:nolint %s the values are those of %s, which has such an index", lint.CodeUniqueOverData, r.attribute.Key))
	}
	for _, m := range []struct {
		*migrations.Migration
		notes []string
	}{{expand, notes}, {contract, []string{"Expand and contract: the second part of " + expand.ID() + "."}}} {
		var b bytes.Buffer
		if err := m.Write(&b, m.notes...); err != nil {
			return err
		}
		file := path.Join(filepath.ToSlash(folder), m.ID()+".yaml")
		if _, err := migrations.Parse(file, b.Bytes()); err != nil {
			return fmt.Errorf("the migration cannot be read back; nothing was written: %w", err)
		}
		written, err := a.writeNew(map[string][]byte{file: b.Bytes()})
		if err != nil {
			return err
		}
		if len(written) == 0 {
			return fmt.Errorf("%s is here already; nothing was written", file)
		}
		if err := a.addToSum(file, b.Bytes()); err != nil {
			return err
		}
		fmt.Fprintf(a.streams.Out, "wrote %s\n", file)
	}
	fmt.Fprintf(a.streams.Out, "next: %s up, then deploy clients that write both names, then clients that use %s only, then %s up --to %s\n", a.name, r.newKey, a.name, second)
	return nil
}

package replica_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/backstep-dev/backstep/internal/replica"
	"github.com/backstep-dev/backstep/migrations"
)

// chain parses migrations, each named by its place.
func chain(t *testing.T, files ...string) []*migrations.Migration {
	t.Helper()
	var list []*migrations.Migration
	for i, text := range files {
		m, err := migrations.Parse("2026010100000"+string(rune('1'+i))+"_step.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

const (
	makeShop  = "database: shop\nsteps:\n  - create_database: { id: shop, name: Shop }\n  - create_collection: { id: products, name: Products }\n  - create_attribute: { collection: products, key: title, type: string, size: 100 }\n"
	renameIt  = "database: shop\nsteps:\n  - rename_attribute: { collection: products, key: title, new_key: headline }\n"
	addLamp   = "database: shop\nsteps:\n  - create_document: { collection: products, id: lamp, data: { headline: Lamp }, permissions: ['read(\"any\")'] }\n"
	addAnyone = "database: shop\nsteps:\n  - create_document: { collection: products, data: { headline: Somebody } }\n"
	dropIt    = "database: shop\nsteps:\n  - delete_attribute: { collection: products, key: headline }\n"
)

func profile(t *testing.T) replica.Profile {
	t.Helper()
	p, err := replica.ProfileFor("1.9.6")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestASquashFromTheBeginningTakesAsFewStepsAsItsResultNeeds(t *testing.T) {
	t.Parallel()
	list := chain(t, makeShop, renameIt, addLamp, dropIt)
	m, err := replica.Squash(t.Context(), nil, list, "all", profile(t))
	if err != nil {
		t.Fatal(err)
	}
	// The lamp has no field left, and a document without any cannot be created
	// by a step, so what is left of the data decides which way is taken.
	if len(m.Replaces) != 4 || m.Version != list[3].Version {
		t.Errorf("it replaces %v as %s", m.Replaces, m.Version)
	}
	m, err = replica.Squash(t.Context(), nil, list[:3], "some", profile(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Up) != 4 { // database, collection, headline, lamp
		t.Errorf("it has %d steps: %v", len(m.Up), m.Up)
	}
}

func TestASquashBehindOtherMigrationsKeepsTheirSteps(t *testing.T) {
	t.Parallel()
	list := chain(t, makeShop, renameIt, addLamp)
	m, err := replica.Squash(t.Context(), list[:1], list[1:], "later", profile(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Up) != 2 || m.Up[0].Change.Kind() != "rename_attribute" {
		t.Errorf("its steps are %v", m.Up)
	}
}

// On the replica nobody else writes, so an increment needs no receipt there.
func TestIncrementsAreSquashed(t *testing.T) {
	t.Parallel()
	list := chain(t, makeShop,
		"database: shop\nsteps:\n  - create_attribute: { collection: products, key: stock, type: integer }\n  - create_document: { collection: products, id: lamp, data: { stock: 5 } }\n",
		"database: shop\nsteps:\n  - increment: { collection: products, id: lamp, attribute: stock, by: 2 }\n")
	m, err := replica.Squash(t.Context(), list[:1], list[1:], "later", profile(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Up) != 3 || m.Up[2].Change.Kind() != "increment" {
		t.Errorf("its steps are %v", m.Up)
	}
}

// Ids that are drawn come out otherwise every time, so nothing can be proven.
func TestASquashThatCannotBeProvenIsRefused(t *testing.T) {
	t.Parallel()
	list := chain(t, makeShop, renameIt, addAnyone)
	_, err := replica.Squash(t.Context(), list[:1], list[1:], "later", profile(t))
	if !errors.Is(err, replica.ErrUnlike) || !strings.Contains(err.Error(), "document shop/products/") {
		t.Errorf("the error is %v", err)
	}
}

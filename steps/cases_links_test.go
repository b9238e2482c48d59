package steps_test

import (
	"github.com/backstep-dev/backstep/engine"
	"github.com/backstep-dev/backstep/steps"
	"github.com/backstep-dev/backstep/steps/steptest"
)

// onMakers makes steps on the makers of a library.
func onMakers(build func(m *steps.CollectionBuilder)) func(string) []engine.Step {
	return func(database string) []engine.Step {
		return chain(func(s *steps.Builder) { build(s.Database(database).Collection("makers")) })
	}
}

func linkedDocumentCases() []steptest.Case {
	lamp := map[string]any{"title": "Lamp", "maker": "ada"}
	lamps := map[string]any{"title": "Lamp", "makers": []string{"ada", "bob"}}
	oneWay := func(p *steps.CollectionBuilder) { p.ManyToOne("maker", "makers").OnDelete("setNull") }
	return []steptest.Case{
		{
			Name: "create_document with a link", Setup: library(oneWay, lamp),
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("desk").Create(map[string]any{"title": "Desk", "maker": "bob"})
			}),
		},
		{
			Name: "update_document to another link", Setup: library(oneWay, lamp),
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Update(map[string]any{"maker": "bob"})
			}),
		},
		{
			Name: "update_document to another link of two ways", Setup: library(func(p *steps.CollectionBuilder) {
				p.OneToOne("maker", "makers").TwoWay("product")
			}, lamp),
			Steps: onProducts(func(p *steps.CollectionBuilder) {
				p.Document("lamp").Update(map[string]any{"maker": "bob"})
			}),
		},
		{
			Name: "delete_document that others lead to", Setup: library(oneWay, lamp),
			Steps: onMakers(func(m *steps.CollectionBuilder) { m.Document("ada").Delete() }),
		},
		{
			Name: "delete_document that others go with", Setup: library(func(p *steps.CollectionBuilder) {
				p.ManyToOne("maker", "makers").TwoWay("products").OnDelete("cascade")
			}, lamp),
			Steps: onMakers(func(m *steps.CollectionBuilder) { m.Document("ada").Delete() }),
		},
		{
			Name: "delete_document that others go with, one way", Setup: library(func(p *steps.CollectionBuilder) {
				p.ManyToOne("maker", "makers").OnDelete("cascade")
			}, lamp),
			Steps: onMakers(func(m *steps.CollectionBuilder) { m.Document("ada").Delete() }),
		},
		{
			Name: "delete_document with links to many", Setup: library(func(p *steps.CollectionBuilder) {
				p.ManyToMany("makers", "makers").TwoWay("products").OnDelete("setNull")
			}, lamps),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Document("lamp").Delete() }),
		},
		{
			Name: "delete_document in others' lists", Setup: library(func(p *steps.CollectionBuilder) {
				p.ManyToMany("makers", "makers").OnDelete("setNull")
			}, lamps),
			Steps: onMakers(func(m *steps.CollectionBuilder) { m.Document("ada").Delete() }),
		},
		{
			Name: "delete_document with children", Setup: library(func(p *steps.CollectionBuilder) {
				p.OneToMany("makers", "makers").OnDelete("setNull")
			}, lamps),
			Steps: onProducts(func(p *steps.CollectionBuilder) { p.Document("lamp").Delete() }),
		},
		{
			Name: "delete_document that is a child", Setup: library(func(p *steps.CollectionBuilder) {
				p.OneToMany("makers", "makers").OnDelete("cascade")
			}, lamps),
			Steps: onMakers(func(m *steps.CollectionBuilder) { m.Document("ada").Delete() }),
		},
	}
}

package lint_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// kase is the steps of one migration, and what is to be found in it.
type kase struct {
	steps string
	want  []string
}

// hold runs cases over the shop.
func hold(t *testing.T, cases map[string]kase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := codes(t, "database: shop\nsteps:\n"+c.steps); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

// none is an assertion that no document matches.
func none(where string) string {
	return "  - assert: { collection: products, empty: true, where: [" + where + "] }\n"
}

func TestAnAssertionCountsForWhatItProves(t *testing.T) {
	t.Parallel()
	const (
		drop     = "  - delete_attribute: { collection: products, key: note }\n"
		required = "  - update_attribute: { collection: products, key: note, required: true }\n"
		unique   = "  - create_index: { collection: products, key: one_note, type: unique, attributes: [note] }\n"
		shorten  = "  - update_attribute: { collection: products, key: note, size: 20 }\n"
		null     = "{ method: isNull, attribute: note }"
		notNull  = "{ method: isNotNull, attribute: note }"
		equal    = "{ method: equal, attribute: note, values: [x] }"
	)
	hold(t, map[string]kase{
		"none has it, dropped":                 {none(notNull) + drop, nil},
		"all have it, dropped":                 {none(null) + drop, []string{"BS103"}},
		"one value is gone, dropped":           {none(equal) + drop, []string{"BS103"}},
		"none of some has it, dropped":         {none(notNull+", { method: equal, attribute: title, values: [x] }") + drop, []string{"BS103"}},
		"none has it alone, dropped":           {none(notNull+", { method: isNull, attribute: title }") + drop, nil},
		"none has this or that, dropped":       {none("{ method: or, values: ["+notNull+", { method: isNull, attribute: title }] }") + drop, nil},
		"none has this and that, dropped":      {none("{ method: and, values: ["+notNull+", { method: isNotNull, attribute: title }] }") + drop, []string{"BS103"}},
		"all have it, required":                {none(null) + required, nil},
		"none has it, required":                {none(notNull) + required, []string{"BS202"}},
		"some have it, required":               {none(null+", { method: equal, attribute: title, values: [x] }") + required, []string{"BS202"}},
		"none lacks both, required":            {none(null+", { method: isNull, attribute: title }") + required, []string{"BS202"}},
		"all have it, renamed and required":    {none("{ method: isNull, attribute: title }") + "  - rename_attribute: { collection: products, key: title, new_key: name } # backstep:nolint BS404 not in use\n  - update_attribute: { collection: products, key: name, required: true }\n", nil},
		"all have it, unique":                  {none(null) + unique, []string{"BS206"}},
		"none has it, unique":                  {none(notNull) + unique, nil},
		"all have it, shortened":               {none(null) + shorten, []string{"BS203"}},
		"none has it, shortened":               {none(notNull) + shorten, nil},
		"behind the step":                      {drop + none("{ method: isNotNull, attribute: title }"), []string{"BS103"}},
		"all have it, another one of that key": {none(null) + "  - delete_attribute: { collection: products, key: note } # backstep:nolint BS103 no notes\n  - create_attribute: { collection: products, key: note, type: string, size: 255 }\n" + required, []string{"BS202"}},
	})
}

func TestWhatIsUniqueAlreadyIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	hold(t, map[string]kase{
		"with the id, unique":             {"  - create_index: { collection: products, key: one_note, type: unique, attributes: [note, $id] }\n", nil},
		"unique before, in another order": {"  - create_index: { collection: products, key: one, type: unique, attributes: [note] } # backstep:nolint BS206 none are alike\n  - update_index: { collection: products, key: one, type: unique, attributes: [note], orders: [DESC] }\n", nil},
		"unique before, with more":        {"  - create_index: { collection: products, key: one, type: unique, attributes: [note] } # backstep:nolint BS206 none are alike\n  - create_index: { collection: products, key: two, type: unique, attributes: [title, note] }\n", nil},
		"unique before, with less":        {"  - create_index: { collection: products, key: one, type: unique, attributes: [title, note] } # backstep:nolint BS206 none are alike\n  - update_index: { collection: products, key: one, type: unique, attributes: [note] }\n", []string{"BS206"}},
		"its beginning was unique":        {"  - create_index: { collection: products, key: one, type: unique, attributes: [note], lengths: [9] } # backstep:nolint BS206 none are alike\n  - update_index: { collection: products, key: one, type: unique, attributes: [note] }\n", nil},
		"only as a whole was it unique":   {"  - create_index: { collection: products, key: one, type: unique, attributes: [note] } # backstep:nolint BS206 none are alike\n  - update_index: { collection: products, key: one, type: unique, attributes: [note], lengths: [9] }\n", []string{"BS206"}},
	})
}

func TestAStepForRelationshipsIsAboutOne(t *testing.T) {
	t.Parallel()
	const related = "  - create_collection: { id: orders, name: Orders }\n" +
		"  - create_relationship: { collection: orders, related: products, type: manyToOne, two_way: true, key: product, two_way_key: orders }\n"
	hold(t, map[string]kase{
		"a relationship is deleted":       {related + "  - delete_relationship: { collection: orders, key: product }\n", nil},
		"from its other side":             {related + "  - delete_relationship: { collection: products, key: orders }\n", nil},
		"as an attribute":                 {related + "  - delete_attribute: { collection: orders, key: product }\n", []string{"BS401"}},
		"as an attribute, from there":     {related + "  - delete_attribute: { collection: products, key: orders }\n", []string{"BS401"}},
		"it is required":                  {related + "  - update_attribute: { collection: orders, key: product, required: true }\n", []string{"BS401"}},
		"an attribute as a relationship":  {"  - delete_relationship: { collection: products, key: note }\n", []string{"BS401"}},
		"an attribute cascades":           {"  - update_relationship: { collection: products, key: note, on_delete: cascade }\n", []string{"BS401"}},
		"a relationship has another name": {related + "  - rename_attribute: { collection: orders, key: product, new_key: item }\n  - update_relationship: { collection: orders, key: item, on_delete: cascade }\n", nil},
	})
}

func TestListsAreShortenedOnlyWhereTheirValuesFit(t *testing.T) {
	t.Parallel()
	list := func(size string) string {
		return "  - create_collection: { id: posts, name: Posts }\n  - create_attribute: { collection: posts, key: tags, type: string, size: 20, array: true }\n" +
			"  - create_document: { collection: posts, id: one, data: { tags: [long] } }\n  - update_attribute: { collection: posts, key: tags, size: " + size + " }\n"
	}
	hold(t, map[string]kase{"longer": {list("30"), nil}, "shorter": {list("3"), []string{"BS203"}}})
}

func TestWhatIsEncryptedStaysLongEnough(t *testing.T) {
	t.Parallel()
	secret := func(size string) string {
		return "  - create_attribute: { collection: products, key: secret, type: string, size: 200, encrypt: true }\n  - update_attribute: { collection: products, key: secret, size: " + size + " }\n"
	}
	hold(t, map[string]kase{"enough": {secret("150"), nil}, "too short": {secret("149"), []string{"BS306"}}})
}

func TestElementsAreRemovedWhereNoDocumentHoldsAnyOfThem(t *testing.T) {
	t.Parallel()
	found := func(values string) []string {
		report := look(t, fstest.MapFS{
			"20260101000001_shop.yaml": &fstest.MapFile{Data: []byte(shop + "  - create_attribute: { collection: products, key: status, type: enum, elements: [a, b, c] }\n")},
			"20260101000002_less.yaml": &fstest.MapFile{Data: []byte("database: shop\nsteps:\n" +
				none("{ method: equal, attribute: status, values: "+values+" }") +
				"  - update_attribute: { collection: products, key: status, elements: [a] }\n")},
		})
		var codes []string
		for _, f := range report.Findings {
			codes = append(codes, f.Rule.Code)
		}
		return codes
	}
	if got := found("[c, b]"); got != nil {
		t.Errorf("no document holds either: %v", got)
	}
	if got := found("[b]"); !slices.Equal(got, []string{"BS205"}) {
		t.Errorf("a document may hold the other: %v", got)
	}
}

func TestAnAttributeIsFilledWhereEveryDocumentGetsAValue(t *testing.T) {
	t.Parallel()
	const required = "  - update_attribute: { collection: products, key: note, required: true }\n"
	hold(t, map[string]kase{
		"with a value":                {"  - fill_attribute: { collection: products, key: note, value: none }\n" + required, nil},
		"from one that may lack it":   {"  - fill_attribute: { collection: products, key: note, from: title }\n" + required, []string{"BS202"}},
		"from one, else with a value": {"  - fill_attribute: { collection: products, key: note, from: title, value: none }\n" + required, nil},
		"from one that all have":      {none("{ method: isNull, attribute: title }") + "  - fill_attribute: { collection: products, key: note, from: title }\n" + required, nil},
		"in one document":             {"  - update_document: { collection: products, id: lamp, data: { note: dim } } # backstep:nolint BS403 one lamp\n" + required, []string{"BS202"}},
		"from one that was required until now": {
			"  - create_collection: { id: orders, name: Orders }\n  - create_attribute: { collection: orders, key: number, type: string, size: 20, required: true }\n" +
				"  - create_document: { collection: orders, id: one, data: { number: one } }\n" +
				"  - create_attribute: { collection: orders, key: code, type: string, size: 20 }\n  - update_attribute: { collection: orders, key: number, required: false }\n" +
				"  - fill_attribute: { collection: orders, key: code, from: number }\n  - update_attribute: { collection: orders, key: code, required: true }\n", nil,
		},
	})
}

func TestIndexesAndRelationshipsThatNoServerTakesAreFound(t *testing.T) {
	t.Parallel()
	const (
		index  = "  - create_index: { collection: products, key: by, "
		orders = "  - create_collection: { id: orders, name: Orders }\n"
		relate = "  - create_relationship: { collection: orders, related: products, "
	)
	hold(t, map[string]kase{
		"fulltext of text":            {index + "type: fulltext, attributes: [title] }\n", nil},
		"fulltext of numbers":         {"  - create_attribute: { collection: products, key: stock, type: integer }\n" + index + "type: fulltext, attributes: [stock] }\n", []string{"BS306"}},
		"a length that fits":          {index + "type: key, attributes: [title], lengths: [20] }\n", nil},
		"a length beyond":             {index + "type: key, attributes: [title], lengths: [256] }\n", []string{"BS306"}},
		"of a relationship":           {orders + relate + "type: manyToOne, two_way: true, key: product, two_way_key: orders }\n  - create_index: { collection: orders, key: by, type: key, attributes: [product] }\n", []string{"BS306"}},
		"of its other side":           {orders + relate + "type: manyToOne, two_way: true, key: product, two_way_key: orders }\n" + index + "type: key, attributes: [orders] }\n", []string{"BS306"}},
		"two many to many":            {orders + relate + "type: manyToMany, key: a, two_way_key: x }\n" + relate + "type: manyToMany, key: b, two_way_key: y }\n", []string{"BS306"}},
		"one of each":                 {orders + relate + "type: manyToMany, key: a, two_way_key: x }\n" + relate + "type: manyToOne, key: b, two_way_key: y }\n", nil},
		"a hidden key that is taken":  {orders + relate + "type: manyToOne, key: product, two_way_key: title }\n", []string{"BS502"}},
		"one that is free":            {orders + relate + "type: manyToOne, key: product, two_way_key: sold }\n", nil},
		"deleted with its collection": {orders + relate + "type: manyToOne, two_way: true, key: product, two_way_key: orders }\n  - delete_collection: { id: orders }\n  - delete_relationship: { collection: products, key: orders }\n", []string{"BS401"}},
	})
}

func TestIdsOfDocumentsAreTakenLetterCaseAside(t *testing.T) {
	t.Parallel()
	const one = "  - create_document: { collection: products, id: lamp, data: { title: Lamp } }\n"
	hold(t, map[string]kase{
		"another one":               {one + "  - create_document: { collection: products, id: sofa, data: { title: Sofa } }\n", nil},
		"the same":                  {one + one, []string{"BS502"}},
		"in another letter case":    {one + "  - create_document: { collection: products, id: LAMP, data: { title: Lamp } }\n", []string{"BS502"}},
		"deleted before":            {one + "  - delete_document: { collection: products, id: Lamp }\n" + one, nil},
		"written over":              {one + "  - upsert_document: { collection: products, id: lamp, data: { title: Light } }\n", nil},
		"ids that the server draws": {strings.Repeat("  - create_document: { collection: products, data: { title: Lamp } }\n", 2), nil},
	})
}

func TestOnlyWhatAStepOpensIsFound(t *testing.T) {
	t.Parallel()
	const create = "  - create_collection: { id: votes, name: Votes, permissions: ['create(\"any\")'] } # backstep:nolint BS501 a poll\n"
	hold(t, map[string]kase{
		"it was open":    {create + "  - update_collection: { id: votes, permissions: ['read(\"any\")', 'create(\"any\")'] }\n", nil},
		"it opens more":  {create + "  - update_collection: { id: votes, permissions: ['write(\"any\")'] }\n", []string{"BS501"}},
		"all of it once": {"  - create_collection: { id: votes, name: Votes, permissions: ['create(\"any\")', 'update(\"any\")', 'delete(\"guests\")'] }\n", []string{"BS501"}},
	})
}

// What others made is there until a migration takes it away, whatever is made of
// its name later on.
func TestWhatIsMadeAgainLaterWasThereBefore(t *testing.T) {
	t.Parallel()
	const (
		use      = "database: theirs\nsteps:\n  - create_index: { collection: products, key: by, type: key, attributes: [title] }\n"
		drop     = "database: theirs\nsteps:\n  - delete_index: { collection: products, key: by }\n  - delete_attribute: { collection: products, key: title } # backstep:nolint BS103 moved\n"
		again    = "database: theirs\nsteps:\n  - create_attribute: { collection: products, key: title, type: integer }\n"
		dropAll  = "database: theirs\nsteps:\n  - delete_collection: { id: products } # backstep:nolint BS102 moved\n"
		makeAll  = "database: theirs\nsteps:\n  - create_collection: { id: products, name: Products }\n  - create_attribute: { collection: products, key: title, type: integer }\n"
		rename   = "database: theirs\nsteps:\n  - rename_attribute: { collection: products, key: title, new_key: name } # backstep:nolint BS404 not in use\n"
		document = "database: theirs\nsteps:\n  - update_document: { collection: products, id: lamp, data: { title: Lamp } }\n"
	)
	for name, c := range map[string]struct {
		files []string
		want  []string
	}{
		"used, deleted, made again":            {[]string{use, drop, again}, nil},
		"used, renamed, made again":            {[]string{use, rename, again}, nil},
		"used, deleted with all, made again":   {[]string{use, dropAll, makeAll}, nil},
		"deleted, made again":                  {[]string{drop, again}, nil},
		"used before it is made":               {[]string{use, again}, []string{"BS401"}},
		"used when it is deleted":              {[]string{drop, document}, []string{"BS401"}},
		"used when it is deleted, made again":  {[]string{drop, document, again}, []string{"BS401"}},
		"used when it has another name":        {[]string{rename, document}, []string{"BS401"}},
		"used when all is deleted":             {[]string{dropAll, document}, []string{"BS401"}},
		"used when all is deleted, made again": {[]string{dropAll, document, makeAll}, []string{"BS401"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			for i, text := range c.files {
				files["2026010100000"+string(rune('1'+i))+"_step.yaml"] = &fstest.MapFile{Data: []byte(text)}
			}
			var got []string
			for _, f := range look(t, files).Findings {
				got = append(got, f.Rule.Code)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

// Values of an attribute that others made are carried over as those of any other.
func TestWhatIsCopiedOutOfAnAttributeOfOthersIsNotLost(t *testing.T) {
	t.Parallel()
	const copied = "database: theirs\nsteps:\n  - create_attribute: { collection: products, key: headline, type: string, size: 255 }\n  - fill_attribute: { collection: products, key: headline, from: title }\n"
	for deleted, want := range map[string][]string{"title": nil, "note": {"BS103"}} {
		report := look(t, fstest.MapFS{"20260101000001_move.yaml": &fstest.MapFile{
			Data: []byte(copied + "  - delete_attribute: { collection: products, key: " + deleted + " }\n"),
		}})
		var got []string
		for _, f := range report.Findings {
			got = append(got, f.Rule.Code)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is deleted: found %v, want %v", deleted, got, want)
		}
	}
}

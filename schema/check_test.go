package schema_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/internal/livetest"
	"github.com/backstep-dev/backstep/schema"
)

func TestLimitsForAVersionAreThoseOfItsServer(t *testing.T) {
	t.Parallel()
	for _, version := range livetest.Versions() {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			got, err := schema.LimitsFor(version)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(newProject(t, version).limits(), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, version := range []string{"", "1.9", "latest", "-1.0.0"} {
		if _, err := schema.LimitsFor(version); err == nil {
			t.Errorf("version %q is taken", version)
		}
	}
}

func TestCheckCountsAsTheServerDoes(t *testing.T) {
	t.Parallel()
	attributes := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ",")
	}
	s := `{"key":"s","type":"string","size":768},{"key":"t","type":"string","size":5000}`
	for name, c := range map[string]struct {
		text, reason string // "": fits
	}{
		"widest single string":   {inCollection(`{"key":"k","type":"string","size":16116}`, ""), ""},
		"one more":               {inCollection(`{"key":"k","type":"string","size":16117}`, ""), "take 65537 bytes a row"},
		"outside the row":        {inCollection(`{"key":"k","type":"string","size":16382}`, ""), ""},
		"fifteen strings":        {inCollection(attributes(15, `{"key":"k%d","type":"string","size":1024}`), ""), ""},
		"sixteen strings":        {inCollection(attributes(16, `{"key":"k%d","type":"string","size":1024}`), ""), "bytes a row"},
		"widest and a boolean":   {inCollection(`{"key":"k","type":"string","size":16116},{"key":"b","type":"boolean"}`, ""), ""},
		"and another":            {inCollection(`{"key":"k","type":"string","size":16116},{"key":"b","type":"boolean"},{"key":"c","type":"boolean"}`, ""), "bytes a row"},
		"58 indexes":             {inCollection(s, attributes(58, `{"key":"i%d","type":"key","attributes":["s"]}`)), ""},
		"59 indexes":             {inCollection(s, attributes(59, `{"key":"i%d","type":"key","attributes":["s"]}`)), "has 59 indexes"},
		"longest index":          {inCollection(s, `{"key":"i","type":"unique","attributes":["s"]}`), ""},
		"too long an index":      {inCollection(s, `{"key":"i","type":"unique","attributes":["t"]}`), "5000 long"},
		"with a length":          {inCollection(s, `{"key":"i","type":"unique","attributes":["t"],"lengths":[700]}`), ""},
		"fulltext of any length": {inCollection(s, `{"key":"i","type":"fulltext","attributes":["t"]}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := read(c.text)
			if err != nil {
				t.Fatal(err)
			}
			err = schema.Check(file.Model, schema.DefaultLimits())
			switch {
			case c.reason == "" && err != nil:
				t.Error(err)
			case c.reason != "" && (!errors.Is(err, schema.ErrRefused) || !strings.Contains(err.Error(), c.reason)):
				t.Errorf("error is %v, want %s", err, c.reason)
			}
			// The server agrees.
			p := newProject(t, "1.9.6")
			if c.reason == "" {
				p.upAndDown(file)
			} else {
				p.refusedToo(file)
			}
		})
	}
}

func TestCompareNamesEveryDifference(t *testing.T) {
	t.Parallel()
	model := func(text string) schema.Model {
		file, err := read(text)
		if err != nil {
			t.Fatal(err)
		}
		return file.Model
	}
	a := model(inCollection(`{"key":"k","type":"integer","max":5},{"key":"gone","type":"boolean"}`, `{"key":"i","type":"key","attributes":["k"],"orders":["DESC"]}`))
	b := model(strings.Replace(inCollection(`{"key":"new","type":"boolean"},{"key":"k","type":"integer","max":6,"default":1}`, `{"key":"i","type":"key","attributes":["k"],"orders":["ASC"]}`), `"name":"C"`, `"name":"E","$permissions":["write(\"any\")"]`, 1))
	var got []string
	for _, d := range schema.Compare(a, b) {
		got = append(got, d.String())
	}
	want := []string{
		"collection d/c: name is C / E",
		`collection d/c: permissions is none / create("any") update("any") delete("any")`,
		"attribute d/c/k: default is none / 1",
		"attribute d/c/k: max is 5 / 6",
		"attribute d/c/gone: present / absent",
		"attribute d/c/new: absent / present",
		"index d/c/i: orders is DESC / ASC",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

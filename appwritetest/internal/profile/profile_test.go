package profile_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/profile"
)

func TestVersionsAreToldApart(t *testing.T) {
	t.Parallel()
	type capabilities struct {
		tablesDB, operators, inline, bigInt, nullBreaks bool
		sequence                                        profile.SequenceKind
	}
	for version, want := range map[string]capabilities{
		"1.7.4": {nullBreaks: true},
		"1.8.0": {tablesDB: true, sequence: profile.IntSequence},
		"1.8.1": {tablesDB: true, operators: true, sequence: profile.IntSequence},
		"1.9.0": {tablesDB: true, operators: true, inline: true, nullBreaks: true, sequence: profile.StringSequence},
		"1.9.6": {tablesDB: true, operators: true, inline: true, bigInt: true, nullBreaks: true, sequence: profile.StringSequence},
	} {
		p, err := profile.For(version, profile.MariaDB)
		if err != nil {
			t.Fatal(err)
		}
		got := capabilities{p.TablesDB(), p.Operators(), p.InlineSchema(), p.BigInt(), p.NullBreaks(), p.Sequence()}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", version, got, want)
		}
	}
}

func TestUnknownVersionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "1.9", "1.9.x", "1.9.-1", "1.6.9", "1.9.7", "2.0.0", "1.9.6.1"} {
		if _, err := profile.For(version, profile.MariaDB); err == nil {
			t.Errorf("%q is taken for a version", version)
		}
	}
}

func TestBackendsCompareText(t *testing.T) {
	t.Parallel()
	loose, err := profile.For(profile.Latest, profile.MariaDB)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := profile.For(profile.Latest, profile.Exact)
	if err != nil {
		t.Fatal(err)
	}
	if loose.Fold("É a") != loose.Fold("e A") || exact.Fold("a") == exact.Fold("A") {
		t.Error("MariaDB must ignore case and accents, the other backend must not")
	}
}

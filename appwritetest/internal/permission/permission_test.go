package permission_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/appwritetest/internal/permission"
)

func TestCheckKnowsEveryRole(t *testing.T) {
	t.Parallel()
	good := []string{
		`read("any")`, `update("guests")`, `delete("users")`, `read("users/verified")`, `read("users/unverified")`,
		`read("user:u1")`, `read("user:u1/verified")`, `read("team:t1")`, `read("team:t1/owner")`,
		`read("member:m1")`, `read("label:vip")`, `write("any")`,
	}
	if err := permission.Check(good, false); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		`junk`, `read("nobody")`, `read("user:")`, `read("any/verified")`, `read("label:a-b")`, `read("team:t1/a b")`,
		`read("user:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")`, `read(any)`, `own("any")`, `create("any")`, `read("member:m1/x")`,
	} {
		if err := permission.Check([]string{bad}, false); !errors.Is(err, permission.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := permission.Check([]string{`create("any")`}, true); err != nil {
		t.Error(err)
	}
	if err := permission.Check(make([]string, 101), false); !errors.Is(err, permission.ErrInvalid) {
		t.Error("101 entries pass")
	}
}

func TestExpandReplacesWriteAndDropsDuplicates(t *testing.T) {
	t.Parallel()
	got := permission.Expand([]string{`read("any")`, `read("any")`, `write("users")`, `delete("users")`, `junk`}, false)
	want := []string{`read("any")`, `update("users")`, `delete("users")`, `junk`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := permission.Expand([]string{`write("any")`}, true); len(got) != 3 {
		t.Error(got)
	}
}

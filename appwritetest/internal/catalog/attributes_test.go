package catalog_test

import (
	"testing"

	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/worker"
)

func TestNullDoesNotClearADefault(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9, Default: "old"}))
	p.run()
	effective := func() any { return p.get("c").Schema.Attribute("s").Default }

	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{}))
	if _, a, _ := p.Attribute("d", "c", "s"); a.Default != nil || effective() != "old" {
		t.Errorf("shown %v, in effect %v: want null and old", a.Default, effective())
	}
	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{Required: true}))
	p.ok(p.UpdateAttribute("d", "c", "s", catalog.AttributeChange{}))
	if effective() != nil {
		t.Errorf("by way of required the default is still %v", effective())
	}
}

func TestWholeFloatDefaultCannotBeCleared(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{
		Key: "f", Type: catalog.TypeDouble, Format: catalog.FormatFloat, Min: -9.0, Max: 9.0, Default: int64(1),
	}))
	p.run()
	_, err := p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{})
	wantType(t, err, "general_unknown")
	p.ok(p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{Default: 1.5}))
	p.ok(p.UpdateAttribute("d", "c", "f", catalog.AttributeChange{}))
}

func TestIntegerKeepsTheWidthItWasMadeWith(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{
		Key: "n", Type: catalog.TypeInteger, Format: catalog.FormatInt, Size: 4, Min: int64(0), Max: int64(9),
	}))
	p.run()
	p.ok(p.UpdateAttribute("d", "c", "n", catalog.AttributeChange{Max: int64(1) << 40}))
	if size := p.get("c").Schema.Attribute("n").Size; size != 4 {
		t.Errorf("the column is %d bytes wide, want 4", size)
	}
}

func TestDeletionDuringProcessingRunsAfterTheCreation(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9}))
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	if got := p.status("c", "s"); got != catalog.Processing {
		t.Errorf("status %q, want processing", got)
	}
	p.run()
	if got := p.status("c", "s"); got != "" || len(p.get("c").Schema.Attributes) != 0 {
		t.Errorf("the attribute is left as %q", got)
	}
}

func TestFailedJobsLeaveFailedAndStuckUntilRepeated(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "s", Type: catalog.TypeString, Size: 9}))
	p.Run(p.jobs[0], worker.Fail)
	p.jobs = nil
	if got := p.status("c", "s"); got != catalog.Failed {
		t.Fatalf("status %q, want failed", got)
	}
	_, err := p.CreateAttribute("d", "c", catalog.Definition{Key: "S", Type: catalog.TypeString, Size: 9})
	wantType(t, err, "attribute_already_exists")
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	p.Run(p.jobs[0], worker.Fail)
	p.jobs = nil
	if got := p.status("c", "s"); got != catalog.Stuck {
		t.Fatalf("status %q, want stuck", got)
	}
	p.ok(nil, p.DeleteAttribute("d", "c", "s"))
	p.run()
	if got := p.status("c", "s"); got != "" {
		t.Errorf("status %q, want gone", got)
	}
}

func TestPlainUpdateOfOtherKindsBreaks(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.collection("other")
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "flag", Type: catalog.TypeBoolean}))
	p.ok(p.CreateAttribute("d", "c", catalog.Definition{Key: "place", Type: catalog.TypePoint, Required: true}))
	p.ok(p.CreateRelationship("d", "c", "to", catalog.Relation{Collection: "other", Type: "manyToOne", TwoWayKey: "back"}))
	p.run()
	p.index("spatial", "where", "place")
	_, err := p.UpdateAttribute("d", "c", "flag", catalog.AttributeChange{Size: 5})
	wantType(t, err, "general_unknown")
	_, err = p.UpdateAttribute("d", "c", "to", catalog.AttributeChange{})
	wantType(t, err, "general_unknown")
	_, err = p.UpdateAttribute("d", "c", "place", catalog.AttributeChange{})
	wantType(t, err, "index_invalid")
}

func TestWidthIsCheckedBeforeDuplicates(t *testing.T) {
	t.Parallel()
	p := newProject(t, "1.9.6")
	p.text("a", 16116)
	_, err := p.CreateAttribute("d", "c", catalog.Definition{Key: "a", Type: catalog.TypeString, Size: 255})
	wantType(t, err, "attribute_limit_exceeded")
	_, err = p.CreateAttribute("d", "c", catalog.Definition{Key: "a", Type: catalog.TypeBoolean})
	wantType(t, err, "attribute_already_exists")
}

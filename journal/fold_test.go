package journal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/backstep-dev/backstep/journal"
)

// entry is one record of a story in the tests below.
type entry struct {
	typ       journal.Type
	operation string
	body      any
}

var at = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant, were there constant times

// chain makes the records of a story about a plan of two operations.
func chain(tb testing.TB, story []entry) []journal.Record {
	tb.Helper()
	started := journal.Started{Migration: "m", Operations: []journal.Planned{
		{ID: "1", Step: json.RawMessage(`{"kind":"x"}`)}, {ID: "2", Step: json.RawMessage(`{"kind":"y"}`)},
	}}
	var records []journal.Record
	tail := journal.Tail{}
	for _, e := range append([]entry{{journal.RunStarted, "", started}}, story...) {
		r, err := journal.NewRecord(tail, "run", at, e.typ, e.operation, e.body)
		if err != nil {
			tb.Fatal(err)
		}
		records, tail = append(records, r), r.Next()
	}
	return records
}

func intent(id string) entry  { return entry{journal.Intent, id, journal.Intended{}} }
func applied(id string) entry { return entry{journal.Applied, id, journal.Observed{}} }
func undone(id string) entry  { return entry{journal.Undone, id, journal.UndoObserved{}} }
func finished(s journal.Status) entry {
	return entry{journal.RunFinished, "", journal.Finished{Status: s}}
}

func undoIntent(id string, steps int) entry {
	body := journal.UndoIntended{}
	for range steps {
		body.Steps = append(body.Steps, json.RawMessage(`{"kind":"z"}`))
	}
	return entry{journal.UndoIntent, id, body}
}

func receiptedUndo(id string) entry {
	return entry{journal.UndoIntent, id, journal.UndoIntended{Steps: []json.RawMessage{json.RawMessage(`{"kind":"z"}`)}, Receipted: true}}
}

func TestFoldShowsWhichReceiptsTellOfAnOperation(t *testing.T) {
	t.Parallel()
	state, err := journal.Fold(chain(t, []entry{
		{journal.Intent, "1", journal.Intended{Receipted: true}},
		{journal.Intent, "1", journal.Intended{Receipted: true, Generation: 2}},
		{journal.Applied, "1", journal.Observed{Receipt: "ab"}},
		intent("2"),
		{journal.Undone, "2", journal.UndoObserved{}},
		receiptedUndo("1/undo/1"),
		{journal.UndoIntent, "1/undo/1", journal.UndoIntended{Receipted: true, Generation: 1}},
	}))
	if err != nil {
		t.Fatal(err)
	}
	first := state.Operations[0]
	if want := (journal.Promise{Receipted: true, Generation: 2, Receipt: "ab"}); first.Promise != want || state.Operations[1].Receipted {
		t.Errorf("the operations are %+v", state.Operations)
	}
	if undo := first.Undo[0]; undo.Promise != (journal.Promise{Receipted: true, Generation: 1}) {
		t.Errorf("the open inverse step is %+v", undo)
	}
	r, err := journal.NewRecord(state.Tail, "run", at, journal.Undone, "1/undo/1", journal.UndoObserved{Receipt: "cd"})
	if err != nil {
		t.Fatal(err)
	}
	if err := state.Add(r); err != nil {
		t.Fatal(err)
	}
	if undo := state.Operations[0].Undo[0]; undo.Receipt != "cd" || undo.Phase != journal.PhaseUndone {
		t.Errorf("the closed inverse step is %+v", undo)
	}
}

func TestFoldAddsUpWhatARunDid(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		story  []entry
		phases [2]journal.Phase
		status journal.Status
		undo   bool
	}{
		"started":  {nil, [2]journal.Phase{"planned", "planned"}, "open", false},
		"intended": {[]entry{intent("1")}, [2]journal.Phase{"intended", "planned"}, "open", false},
		"applied": {
			[]entry{intent("1"), applied("1"), intent("2"), applied("2"), finished("applied")},
			[2]journal.Phase{"applied", "applied"},
			"applied", false,
		},
		"undoing": {
			[]entry{intent("1"), applied("1"), intent("2"), undone("2"), undoIntent("1/undo/1", 2), undone("1/undo/1")},
			[2]journal.Phase{"undoing", "undone"},
			"open", true,
		},
		"rolled back": {
			[]entry{intent("1"), applied("1"), undoIntent("1/undo/1", 2), undone("1/undo/1"), undoIntent("1/undo/2", 0), undone("1/undo/2"), finished("rolled_back")},
			[2]journal.Phase{"undone", "planned"},
			"rolled_back", true,
		},
		"halted":            {[]entry{intent("1"), finished("halted")}, [2]journal.Phase{"intended", "planned"}, "halted", false},
		"halted, then on":   {[]entry{intent("1"), finished("halted"), applied("1")}, [2]journal.Phase{"applied", "planned"}, "open", false},
		"halted twice":      {[]entry{intent("1"), finished("halted"), finished("halted")}, [2]journal.Phase{"intended", "planned"}, "halted", false},
		"never began":       {[]entry{finished("rolled_back")}, [2]journal.Phase{"planned", "planned"}, "rolled_back", false},
		"resolved by hand":  {[]entry{intent("1"), {journal.RunFinished, "", journal.Finished{Status: "applied", Reason: "mended", Resolved: &journal.Resolution{}}}}, [2]journal.Phase{"intended", "planned"}, "applied", false},
		"skipped half way":  {[]entry{intent("1"), undoIntent("1/undo/1", 2), {journal.Undone, "1", journal.UndoObserved{Skipped: true}}}, [2]journal.Phase{"undone", "planned"}, "open", true},
		"undone, no effect": {[]entry{intent("1"), undone("1"), finished("rolled_back")}, [2]journal.Phase{"undone", "planned"}, "rolled_back", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := chain(t, tc.story)
			state, err := journal.Fold(records)
			if err != nil {
				t.Fatal(err)
			}
			got := [2]journal.Phase{state.Operations[0].Phase, state.Operations[1].Phase}
			if got != tc.phases || state.Status != tc.status || state.Undoing != tc.undo {
				t.Errorf("phases %v, status %s, undoing %t; want %v, %s, %t", got, state.Status, state.Undoing, tc.phases, tc.status, tc.undo)
			}
			if state.Tail != records[len(records)-1].Next() {
				t.Errorf("tail %+v", state.Tail)
			}
		})
	}
}

func TestFoldRefusesWhatNoRunCanHaveWritten(t *testing.T) {
	t.Parallel()
	whole := []entry{intent("1"), applied("1"), intent("2"), applied("2"), finished("applied")}
	for name, story := range map[string][]entry{
		"a second start":                       {{journal.RunStarted, "", journal.Started{}}},
		"an unknown operation":                 {intent("3")},
		"an intent out of order":               {intent("2")},
		"an intent before the last is applied": {intent("1"), intent("2")},
		"an intent twice":                      {intent("1"), intent("1")},
		"applied without intent":               {applied("1")},
		"applied twice":                        {intent("1"), applied("1"), applied("1")},
		"undone without intent":                {undone("1")},
		"undone twice":                         {intent("1"), undone("1"), undone("1")},
		"an undo without its steps":            {intent("1"), undoIntent("1/undo/1", 0)},
		"an undo that begins in the middle":    {intent("1"), undoIntent("1/undo/2", 2)},
		"an undo out of order":                 {intent("1"), undoIntent("1/undo/1", 2), undoIntent("1/undo/2", 0)},
		"an undo beyond the last step":         {intent("1"), undoIntent("1/undo/1", 1), undone("1/undo/1"), undoIntent("1/undo/2", 0)},
		"inverse steps told twice":             {intent("1"), undoIntent("1/undo/1", 2), undone("1/undo/1"), undoIntent("1/undo/2", 1)},
		"an undo under a made-up name":         {intent("1"), undoIntent("1/undo/01", 1)},
		"an undo of the whole operation":       {intent("1"), undoIntent("1", 1)},
		"an undo before what came after":       {intent("1"), applied("1"), intent("2"), undone("1")},
		"forward after the undo began":         {intent("1"), applied("1"), undone("1"), intent("2")},
		"applied after the undo began":         {intent("1"), undoIntent("1/undo/1", 1), applied("1")},
		"an inverse step undone unannounced":   {intent("1"), undoIntent("1/undo/1", 2), undone("1/undo/2")},
		"an operation closed in mid-undo":      {intent("1"), undoIntent("1/undo/1", 2), undone("1")},
		"applied with operations left":         {intent("1"), applied("1"), finished("applied")},
		"applied after an undo":                {intent("1"), undone("1"), finished("applied")},
		"rolled back with effects left":        {intent("1"), applied("1"), finished("rolled_back")},
		"finished as open":                     {finished("open")},
		"finished as something else":           {finished("done")},
		"anything after the end":               append(append([]entry{}, whole...), finished("halted")),
		"resolved without a reason":            {{journal.RunFinished, "", journal.Finished{Status: "applied", Resolved: &journal.Resolution{}}}},
		"resolved as halted":                   {{journal.RunFinished, "", journal.Finished{Status: "halted", Reason: "r", Resolved: &journal.Resolution{}}}},
		"a finish that leaves what is unknown": {{journal.RunFinished, "", journal.Finished{Status: "halted", Left: []journal.Leftover{{Operation: "9"}}}}},
		"an unknown type":                      {{"paused", "1", struct{}{}}},
		"a body with unknown fields":           {{journal.Intent, "1", map[string]any{"before": nil, "extra": 1}}},
		"a body in another spelling":           {{journal.Intent, "1", map[string]any{"Before": nil}}},
		"an intent of no operation":            {intent("")},
		"a first intent of a later receipt":    {{journal.Intent, "1", journal.Intended{Receipted: true, Generation: 1}}},
		"an intent again under one receipt":    {{journal.Intent, "1", journal.Intended{Receipted: true}}, {journal.Intent, "1", journal.Intended{Receipted: true}}},
		"an intent again without a receipt":    {intent("1"), {journal.Intent, "1", journal.Intended{Receipted: true, Generation: 1}}},
		"an intent again with another memento": {{journal.Intent, "1", journal.Intended{Receipted: true}}, {journal.Intent, "1", journal.Intended{Before: json.RawMessage(`1`), Receipted: true, Generation: 1}}},
		"a receipt that was not announced":     {intent("1"), {journal.Applied, "1", journal.Observed{Receipt: "ab"}}},
		"an announced receipt that is missing": {{journal.Intent, "1", journal.Intended{Receipted: true}}, applied("1")},
		"a receipt of a closed operation":      {intent("1"), {journal.Undone, "1", journal.UndoObserved{Receipt: "ab"}}},
		"an undo's receipt that is missing":    {intent("1"), receiptedUndo("1/undo/1"), undone("1/undo/1")},
		"an undo's receipt not announced":      {intent("1"), undoIntent("1/undo/1", 1), {journal.Undone, "1/undo/1", journal.UndoObserved{Receipt: "ab"}}},
		"a finish of an operation":             {{journal.RunFinished, "1", journal.Finished{Status: "halted"}}},
		"two causes of the undo": {
			intent("1"),
			{journal.UndoIntent, "1/undo/1", journal.UndoIntended{Steps: []json.RawMessage{[]byte("1"), []byte("2")}, Cause: "a"}},
			undone("1/undo/1"),
			{journal.UndoIntent, "1/undo/2", journal.UndoIntended{Cause: "b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := chain(t, story)
			_, err := journal.Fold(records)
			named, ok := errors.AsType[*journal.RecordError](err)
			typed := errors.Is(err, journal.ErrSequence) || errors.Is(err, journal.ErrVersion) || errors.Is(err, journal.ErrDamaged)
			if !typed || !ok || named.Seq != int64(len(records)) {
				t.Errorf("error %v, want one about record %d", err, len(records))
			}
		})
	}
}

func TestFoldRefusesBadPlans(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string][]journal.Planned{
		"no id":      {{Step: json.RawMessage(`1`)}},
		"no step":    {{ID: "1", Step: nil}, {ID: "1"}},
		"same id":    {{ID: "1", Step: json.RawMessage(`1`)}, {ID: "1", Step: json.RawMessage(`1`)}},
		"undo as id": {{ID: "1/undo/1", Step: json.RawMessage(`1`)}},
	} {
		r, err := journal.NewRecord(journal.Tail{}, "run", at, journal.RunStarted, "", journal.Started{Operations: plan})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := journal.Fold([]journal.Record{r}); !errors.Is(err, journal.ErrSequence) {
			t.Errorf("%s: error %v, want ErrSequence", name, err)
		}
	}
	if _, err := journal.Fold(nil); !errors.Is(err, journal.ErrSequence) {
		t.Errorf("no records: error %v, want ErrSequence", err)
	}
}

func TestFoldRefusesABrokenChain(t *testing.T) {
	t.Parallel()
	records := chain(t, []entry{intent("1"), applied("1")})
	for name, broken := range map[string][]journal.Record{
		"a gap":          {records[0], records[2]},
		"a wrong start":  {records[1]},
		"a repetition":   {records[0], records[1], records[1]},
		"another branch": {records[0], chain(t, []entry{undone("1")})[1], records[2]},
	} {
		if _, err := journal.Fold(broken); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAFailedAddLeavesTheStateAlone(t *testing.T) {
	t.Parallel()
	good := chain(t, []entry{intent("1"), undoIntent("1/undo/1", 2)})
	for i, bad := range []entry{undone("1/undo/2"), undoIntent("1/undo/2", 1), finished("rolled_back"), {journal.RunFinished, "", journal.Finished{
		Status: "halted", Left: []journal.Leftover{{Operation: "1", Refused: true}, {Operation: "9"}},
	}}} {
		state, err := journal.Fold(good)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := journal.Fold(good)
		r, err := journal.NewRecord(state.Tail, "run", at, bad.typ, bad.operation, bad.body)
		if err != nil {
			t.Fatal(err)
		}
		if err := state.Add(r); err == nil {
			t.Errorf("entry %d: no error", i)
		}
		if diff := cmp.Diff(before, state); diff != "" {
			t.Errorf("entry %d changed the state:\n%s", i, diff)
		}
	}
}

func ExampleFold() {
	var tail journal.Tail
	var records []journal.Record
	add := func(typ journal.Type, operation string, body any) {
		r, err := journal.NewRecord(tail, "run-1", at, typ, operation, body)
		if err != nil {
			fmt.Println(err)
		}
		records, tail = append(records, r), r.Next()
	}
	add(journal.RunStarted, "", journal.Started{Migration: "create_products", Operations: []journal.Planned{
		{ID: "1", Step: json.RawMessage(`{"kind":"create_collection"}`)},
	}})
	add(journal.Intent, "1", journal.Intended{})
	state, err := journal.Fold(records)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(state.Status, state.Operations[0].Phase)
	// Output: open intended
}

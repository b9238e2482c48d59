package schema

// LossCode names a kind of change that cannot keep stored data. Each has an
// entry in docs/lossy-changes.md.
type LossCode string

// The kinds of change that cannot keep stored data.
const (
	LossDatabase     LossCode = "drop-database"
	LossCollection   LossCode = "drop-collection"
	LossAttribute    LossCode = "drop-attribute"
	LossRelationship LossCode = "drop-relationship"
	LossType         LossCode = "replace-attribute"
	LossTarget       LossCode = "retarget-relationship"
)

// LossCodes lists the kinds of change that cannot keep stored data.
func LossCodes() []LossCode {
	return []LossCode{LossDatabase, LossCollection, LossAttribute, LossRelationship, LossType, LossTarget}
}

// Loss is stored data that a change does not carry over. All of it is archived
// first, and comes back when the change is undone.
type Loss struct {
	Code   LossCode
	Reason string
}

// String gives code and reason.
func (l Loss) String() string { return string(l.Code) + ": " + l.Reason }

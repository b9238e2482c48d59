package lint

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how much a finding counts.
type Severity string

// The severities. A report with an error makes `backstep lint` exit with 7.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Off     Severity = "off"
)

// Rule is one thing that is looked for. Its page is docs/lint/<Code>.md.
type Rule struct {
	Code     string
	Name     string   // a few words, in kebab case
	Severity Severity // unless the project says otherwise
	Summary  string   // one sentence
}

// The codes of the rules. The hundreds group them: the files, what is lost, data
// that does not fit, limits, rollout, access.
const (
	CodeReason     = "BS001"
	CodeUnused     = "BS002"
	CodeEdited     = "BS003"
	CodeOutOfOrder = "BS004"

	CodeDropDatabase     = "BS101"
	CodeDropCollection   = "BS102"
	CodeDropAttribute    = "BS103"
	CodeDropRelationship = "BS104"
	CodeIndexLost        = "BS105"
	CodeTypeChange       = "BS106"

	CodeRequiredAdded   = "BS201"
	CodeMadeRequired    = "BS202"
	CodeSizeShrinks     = "BS203"
	CodeBoundsNarrow    = "BS204"
	CodeElementsRemoved = "BS205"
	CodeUniqueOverData  = "BS206"

	CodeRowWidth       = "BS301"
	CodeAttributeCount = "BS302"
	CodeIndexCount     = "BS303"
	CodeIndexLength    = "BS304"
	CodeTransaction    = "BS305"
	CodeServer         = "BS306"

	CodeBeforeAvailable = "BS401"
	CodeIrreversible    = "BS402"
	CodeMixed           = "BS403"
	CodeRename          = "BS404"

	CodeAnyWrites  = "BS501"
	CodeLetterCase = "BS502"
)

// Rules lists every rule, by code.
func Rules() []Rule {
	return []Rule{
		{CodeReason, "nolint-without-reason", Error, "A nolint comment says which rule it silences and why."},
		{CodeUnused, "nolint-unused", Warning, "A nolint comment silences something."},
		{CodeEdited, "migration-edited", Error, "A migration that was recorded stays as it was."},
		{CodeOutOfOrder, "migration-out-of-order", Error, "A new migration is newer than those recorded."},

		{CodeDropDatabase, "drop-database", Error, "A database that may hold data is not deleted in passing."},
		{CodeDropCollection, "drop-collection", Error, "A collection that may hold data is not deleted in passing."},
		{CodeDropAttribute, "drop-attribute", Error, "An attribute that may hold values is not deleted in passing."},
		{CodeDropRelationship, "drop-relationship", Error, "A relationship that may hold links is not deleted in passing."},
		{CodeIndexLost, "index-lost", Warning, "Indexes are deleted by name before an attribute that they use."},
		{CodeTypeChange, "type-change", Error, "A change of type says what becomes of the values."},

		{CodeRequiredAdded, "required-added", Error, "A required attribute is not added to a collection that may hold documents."},
		{CodeMadeRequired, "made-required", Error, "An attribute is made required only when no document lacks it."},
		{CodeSizeShrinks, "size-shrinks", Warning, "A text is shortened only when every value fits."},
		{CodeBoundsNarrow, "bounds-narrow", Warning, "Bounds are narrowed only when every value fits."},
		{CodeElementsRemoved, "elements-removed", Warning, "Elements of an enum are removed only when no document holds them."},
		{CodeUniqueOverData, "unique-over-data", Warning, "A unique index is added only when no two documents are alike."},

		{CodeRowWidth, "row-width", Error, "A collection's attributes fit into a row."},
		{CodeAttributeCount, "attribute-count", Error, "A collection holds no more attributes than the server takes."},
		{CodeIndexCount, "index-count", Error, "A collection holds no more indexes than the server takes."},
		{CodeIndexLength, "index-length", Error, "An index is no longer than the server takes."},
		{CodeTransaction, "transaction-limit", Warning, "What belongs together fits into one transaction."},
		{CodeServer, "server-feature", Error, "A migration asks for nothing that its server does not have."},

		{CodeBeforeAvailable, "used-before-available", Error, "What a step uses is there when it runs."},
		{CodeIrreversible, "irreversible", Error, "A step that cannot be undone has a declared way back."},
		{CodeMixed, "backfill-mixed", Warning, "Changes of data and changes of the schema are migrations of their own."},
		{CodeRename, "rename-breaks-clients", Warning, "A deployed attribute is renamed by expand and contract."},

		{CodeAnyWrites, "writable-by-any", Error, "Nothing is opened for writing to everybody."},
		{CodeLetterCase, "name-taken", Error, "No name is taken already, letter case aside."},
	}
}

// FindRule gives a rule by its code.
func FindRule(code string) (Rule, bool) {
	for _, r := range Rules() {
		if r.Code == code {
			return r, true
		}
	}
	return Rule{}, false
}

// Page is where the rule is explained.
func (r Rule) Page() string {
	return "https://github.com/backstep-dev/backstep/blob/main/docs/lint/" + r.Code + ".md"
}

// Severities are what a project says about rules, by code. Rules that it does
// not name keep their own.
type Severities map[string]Severity

// Validate refuses codes and severities that are none.
func (s Severities) Validate() error {
	for code, severity := range s {
		if _, known := FindRule(code); !known {
			return fmt.Errorf("there is no lint rule %q: they are %s to %s, see docs/lint", code, Rules()[0].Code, Rules()[len(Rules())-1].Code)
		}
		if !slices.Contains([]Severity{Error, Warning, Off}, severity) {
			return fmt.Errorf("the severity of %s is %q; it may be error, warning or off", code, severity)
		}
	}
	return nil
}

// of gives the severity of a finding. What has been seen in the data is an
// error unless the project says otherwise.
func (s Severities) of(rule Rule, seen bool) Severity {
	if own, said := s[rule.Code]; said {
		return own
	}
	if seen {
		return Error
	}
	return rule.Severity
}

// words joins a few things for a message.
func words(list []string) string {
	const shown = 5
	if len(list) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
	}
	return strings.Join(list, ", ")
}

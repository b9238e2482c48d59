package steps

import "github.com/backstep-dev/backstep/engine"

// The steps below bring something into being, which the proof after an undo has
// to know (engine.Maker): what they make, and what is inside it, is not there
// any more when all is undone.

// Makes names the database.
func (s CreateDatabase) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the database.
func (s RestoreDatabase) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the collection.
func (s CreateCollection) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the collection.
func (s RestoreCollection) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the attribute.
func (s CreateAttribute) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the attribute.
func (s RestoreAttribute) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the attribute under its own key.
func (s ReviveAttribute) Makes() []engine.Ref {
	return []engine.Ref{attributeRef(s.Database, s.Collection, s.Attribute.Key)}
}

// Makes names the tombstone.
func (s RetireAttribute) Makes() []engine.Ref {
	return []engine.Ref{attributeRef(s.Database, s.Collection, s.Tombstone)}
}

// Makes names the attribute under its new key.
func (s RenameAttribute) Makes() []engine.Ref {
	return []engine.Ref{attributeRef(s.Database, s.Collection, s.NewKey)}
}

// Makes names the relationship.
func (s CreateRelationship) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the relationship.
func (s RestoreRelationship) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the index.
func (s CreateIndex) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the document.
func (s CreateDocument) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

// Makes names the document.
func (s RestoreDocument) Makes() []engine.Ref { return []engine.Ref{s.Target()} }

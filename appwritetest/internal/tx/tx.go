// Package tx holds transactions: what was staged, until when, and what became
// of it. The status stands apart from the records, as on a real server: a
// commit that fails half-way may leave it behind.
package tx

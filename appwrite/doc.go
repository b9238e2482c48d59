// Package appwrite is Appwrite's database API as Backstep uses it, carried by
// the official Go SDK. It speaks the API's classic words (collection,
// attribute, document) to every server from 1.7 on and translates them where
// the server's newer words (table, column, row) are the better route.
//
// What it adds to the SDK: a context for every call, a timeout for each
// attempt, errors with the server's error type and with what may be done about
// them, numbers that keep every digit, reads that do not come from a stale
// cache, and waiting for the server's background worker. It never retries:
// that is decided by whoever knows what the request meant.
//
// docs/adr/0001-official-sdk.md says which defect of the SDK is worked around
// where.
package appwrite

// Package api is the HTTP side of the server: it knows requests, parameters,
// keys, dialects and errors, and nothing of databases.
//
// # The seam
//
// A room serves its part of the API by returning []Route. A route is written
// once, in the legacy words; the dialects rename its path, its parameters and
// its error types. For every request the Server, in this order,
//
//  1. matches method and path, in one of the two dialects,
//  2. reads the parameters (path, then query string for GET, body otherwise),
//  3. checks project, key and scopes,
//  4. validates the declared parameters,
//  5. takes the project lock as the route's Access says,
//  6. calls Handle, which sees canonical names only and returns a value for
//     package phpjson or an *apierr.Error,
//  7. releases the lock and writes the answer.
//
// Handle must not touch the network and must return values that later writers
// do not change: encoding happens outside the lock. A panic in Handle becomes
// a 500 and is reported to Config.OnPanic.
//
// The lock is one sync.RWMutex for the whole project, shared with the worker.
package api

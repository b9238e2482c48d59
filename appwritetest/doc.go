// Package appwritetest is an Appwrite server in a Go value. It answers the
// databases and TablesDB API over HTTP the way a chosen Appwrite version does,
// so that tests, demos and rehearsals of a migration need no containers:
//
//	srv := appwritetest.New(t, appwritetest.Version("1.9.6"))
//	client := appwrite.NewClient(
//		appwrite.WithEndpoint(srv.Endpoint()),
//		appwrite.WithProject(srv.Project()),
//		appwrite.WithKey(srv.Key()),
//	)
//
// It keeps to what real servers were seen to do, surprises included: see
// KNOWN_DIFFERENCES.md for the rest.
package appwritetest

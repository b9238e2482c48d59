package appwritetest

// TB is what New and NewProxy need of a test; *testing.T is one.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

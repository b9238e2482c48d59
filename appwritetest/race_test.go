//go:build race

package appwritetest_test

// raced says that the race detector is on, which multiplies time and memory.
const raced = true

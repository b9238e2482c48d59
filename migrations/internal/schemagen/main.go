// Command schemagen writes the JSON Schema of migration files to the file named
// by its argument. go generate runs it.
package main

import (
	"fmt"
	"os"

	"github.com/backstep-dev/backstep/migrations"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want the name of one file, not %d arguments", len(args))
	}
	data, err := migrations.GenerateJSONSchema()
	if err != nil {
		return err
	}
	return os.WriteFile(args[0], data, 0o644) //nolint:gosec // a source file, for everyone to read
}

// Command schemagen writes the JSON Schema of migration files to the file named
// by its argument. go generate runs it.
package main

import (
	"log"
	"os"

	"github.com/backstep-dev/backstep/migrations"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("schemagen: want the name of one file")
	}
	data, err := migrations.GenerateJSONSchema()
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], data, 0o644); err != nil { //nolint:gosec // a source file, for everyone to read
		log.Fatal(err)
	}
}
